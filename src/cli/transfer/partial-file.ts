/**
 * A download that is not complete: `NAME.part` holds its bytes, `NAME.part.json` says of which file and which bytes. The bytes
 * are flushed before the note that counts them, so that the note never promises what a power cut took.
 */
import { choice, list, optional, readShape, record, text, wholeNumber } from "#base/schema.ts";
import { areWhole, type Lane } from "#cli/transfer/lanes.ts";
import type { LocalFiles } from "#platform/local-files.ts";

export interface PartialFacts {
  readonly fileId: string;
  /** Of the file in the cluster, in bytes. */
  readonly fileSize: number;
  /** The range that is fetched. */
  readonly offset: number;
  readonly total: number;
  /** Of an appender file, which may change: Unix seconds. */
  readonly modifiedAt?: number | undefined;
}

export interface PartialNote extends PartialFacts {
  readonly lanes: readonly Lane[];
}

const noteShape = record({
  format: choice("cairn-part-1"),
  fileId: text({ maxLength: 300 }),
  fileSize: wholeNumber(),
  offset: wholeNumber(),
  total: wholeNumber(),
  modifiedAt: optional(wholeNumber()),
  lanes: list(record({ start: wholeNumber(), end: wholeNumber(), done: wholeNumber() }), {
    max: 1024,
  }),
});

export function partPath(path: string): string {
  return `${path}.part`;
}

export function notePath(path: string): string {
  return `${path}.part.json`;
}

/** What an earlier run left of this very download, or undefined when it has to begin anew. */
export async function readNote(
  files: LocalFiles,
  path: string,
  wanted: PartialFacts,
): Promise<readonly Lane[] | undefined> {
  const part = await files.stat(partPath(path));
  const written = await files.readText(notePath(path));
  if (part?.kind !== "file" || written === undefined) return undefined;
  const note = parseNote(written);
  if (note === undefined || !isSame(note, wanted) || !areWhole(note.lanes, note.total)) {
    return undefined;
  }
  // A part that was cut off outside of our sight has less than the note says.
  const needed = Math.max(
    0,
    ...note.lanes.map((lane) => (lane.done > 0 ? lane.start + lane.done : 0)),
  );
  return part.sizeBytes >= needed ? note.lanes : undefined;
}

export async function writeNote(files: LocalFiles, path: string, note: PartialNote): Promise<void> {
  const lanes = note.lanes.toSorted((one, other) => one.start - other.start);
  await files.writeText(
    notePath(path),
    `${JSON.stringify({ format: "cairn-part-1", ...note, lanes })}\n`,
  );
}

/** Undefined for what is none of ours. */
export function parseNote(written: string): PartialNote | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return readShape(noteShape, value, { what: "note", surplus: "drop" });
  } catch {
    return undefined;
  }
}

function isSame(note: PartialFacts, wanted: PartialFacts): boolean {
  return (
    note.fileId === wanted.fileId &&
    note.fileSize === wanted.fileSize &&
    note.offset === wanted.offset &&
    note.total === wanted.total &&
    note.modifiedAt === wanted.modifiedAt
  );
}
