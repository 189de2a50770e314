/**
 * What the helper notes before it changes a disk, in a directory that only root can write to: whose yes it acts on, and how far it is.
 * With the mark on the disk itself this lets a work go on that was interrupted, and nothing else.
 */
import { posix } from "node:path";
import {
  choice,
  list,
  readShape,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import type { Evidence, FoundSignature, UnfinishedWork } from "#disks/guard/evidence.ts";
import type { DeviceScan } from "#disks/guard/signature-scan.ts";
import { fileSystems } from "#disks/helper-protocol.ts";
import { layoutOf } from "#disks/provision/layout.ts";
import { isDiskId } from "#model/disk-id.ts";
import type { Files } from "#platform/files.ts";

const word = text({ maxLength: 300 });
const noteShape = record({
  version: wholeNumber({ min: 1, max: 1 }),
  diskId: text({ maxLength: 32 }),
  fileSystem: choice(...fileSystems),
  model: word,
  serial: word,
  sizeBytes: wholeNumber(),
  sectorBytes: wholeNumber({ min: 512, max: 4096 }),
  /** `wiping` what was there; then `formatting`; then what remains is mounting and the passport. */
  stage: choice("wiping", "formatting", "formatted"),
  /** What was on the disk when the person said yes. */
  signatures: list(record({ type: word, atBytes: wholeNumber() }), { max: 64 }),
  otherFindings: list(word, { max: 64 }),
  partitions: list(record({ startBytes: wholeNumber(), sizeBytes: wholeNumber() }), { max: 64 }),
});

export type WorkNote = ShapeValue<typeof noteShape>;

const maxNoteBytes = 64 * 1024;
const maxNotes = 64;

export class WorkNotes {
  readonly #files: Files;
  readonly #directory: string;

  constructor(files: Files, stateDirectory: string) {
    this.#files = files;
    this.#directory = posix.join(stateDirectory, "work");
  }

  /** Is on stable storage when this returns. */
  save(note: WorkNote): void {
    const path = this.#pathOf(note.diskId);
    makeDirectories(this.#files, this.#directory);
    const draft = `${path}.new`;
    writeWhole(this.#files, draft, `${JSON.stringify(note)}\n`);
    this.#files.rename(draft, path);
    this.#files.flushDirectory(this.#directory);
  }

  remove(diskId: string): void {
    if (this.#files.remove(this.#pathOf(diskId))) this.#files.flushDirectory(this.#directory);
  }

  /** Undefined where there is none, or none that can be read. */
  find(diskId: string): WorkNote | undefined {
    return this.#read(this.#pathOf(diskId));
  }

  all(): readonly WorkNote[] {
    const names = (this.#files.list(this.#directory) ?? []).slice(0, maxNotes);
    const notes = names.map((name) => this.#read(posix.join(this.#directory, name)));
    return notes.filter((note) => note !== undefined);
  }

  /** The work that a disk was in the middle of, by the mark on it. */
  unfinished(scan: DeviceScan, evidence: Evidence): UnfinishedWork | undefined {
    for (const note of this.all()) {
      const found = judge(note, scan, evidence);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #pathOf(diskId: string): string {
    return posix.join(this.#directory, `${diskId}.json`);
  }

  #read(path: string): WorkNote | undefined {
    if (!path.endsWith(".json")) return undefined;
    const text = readWhole(this.#files, path, maxNoteBytes);
    if (text === undefined) return undefined;
    try {
      const note = readShape(noteShape, JSON.parse(text), { what: "note", surplus: "drop" });
      return isDiskId(note.diskId) ? note : undefined;
    } catch {
      // Half of it, or of another release: as if it were not there, so that a person is asked again.
      return undefined;
    }
  }
}

function judge(note: WorkNote, scan: DeviceScan, evidence: Evidence): UnfinishedWork | undefined {
  const { diskId, sizeBytes, sectorBytes, stage } = note;
  if (!isDiskId(diskId)) return undefined;
  const layout = layoutOf({ diskId, fileSystem: note.fileSystem }, { sizeBytes, sectorBytes });
  if (scan.gpt?.diskGuid !== layout.diskGuid) return undefined;
  const { device } = evidence;
  const proven =
    note.model === device.model && note.serial === device.serial && sizeBytes === device.sizeBytes;
  const before = new Set(note.signatures.map(({ type, atBytes }) => `${type}@${atBytes}`));
  const { startBytes } = layout.partition;
  const isExplained = ({ type, atBytes, uuid }: FoundSignature): boolean => {
    if (type === "gpt" || (type === "dos" && atBytes === 510)) return true;
    if (stage === "wiping" && before.has(`${type}@${atBytes}`)) return true;
    const isInside = atBytes >= startBytes && atBytes < startBytes + layout.partition.sizeBytes;
    return isInside && uuid === layout.fileSystemUuid;
  };
  const known = [...note.otherFindings, "gpt", "PMBR", "dos", note.fileSystem];
  const others = evidence.otherFindings.filter((each) => !known.includes(each));
  return {
    diskId,
    proven,
    foreign: [
      ...evidence.signatures.filter((each) => !isExplained(each)),
      ...others.map((type) => asSignature(type)),
    ],
  };
}

function asSignature(type: string): FoundSignature {
  return { type, usage: "other", says: type, atBytes: 0, label: undefined, uuid: undefined };
}

/** The directory and those above it. */
export function makeDirectories(files: Files, path: string): void {
  if (files.stat(path, true) !== undefined) return;
  makeDirectories(files, posix.dirname(path));
  files.makeDirectory(path);
}

/** Flushed. */
export function writeWhole(files: Files, path: string, content: string): void {
  const descriptor = files.open(path, "write");
  try {
    files.write(descriptor, Buffer.from(content));
    files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/** Undefined where there is no such file, or it is longer. A symbolic link is none. */
export function readWhole(files: Files, path: string, maxBytes: number): string | undefined {
  const stat = files.stat(path, false);
  if (stat?.kind !== "file" || stat.sizeBytes > maxBytes) return undefined;
  const descriptor = files.open(path, "read");
  try {
    const target = Buffer.alloc(maxBytes + 1);
    const length = files.read(descriptor, target, 0);
    return length > maxBytes ? undefined : target.toString("utf8", 0, length);
  } finally {
    files.close(descriptor);
  }
}
