/** Reads a file from the disk, a piece a step, for its CRC-32. What the disk does not give, and what is gone, are answers. Thread of its path. */
import { crc32 } from "node:zlib";
import type { ScrubTally } from "#filestore/scrub/findings.ts";
import { piecesAhead } from "#filestore/scrub/limits.ts";
import {
  type DiskFile,
  type DiskFileFacts,
  type DiskReads,
  maxDiskRead,
} from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";

export interface ReadWorld {
  readonly disk: DiskReads;
  readonly tally: ScrubTally;
  /** Bytes to be read at a time; told how long that took. */
  readonly pace?: ReadPace;
  /** Whether the disk may read what comes next while this is looked at: not where somebody else waits for it. */
  readonly readsAhead?: () => boolean;
}

export interface ReadPace {
  readonly pieceBytes: number;
  readonly began: () => void;
  readonly ended: (bytes: number) => void;
}

export type ReadContent =
  | { readonly state: "read"; readonly sizeBytes: number; readonly crc32: number }
  /** Its size is not the expected one, and it was not read. */
  | { readonly state: "other-size"; readonly sizeBytes: number }
  | { readonly state: "unreadable"; readonly sizeBytes: number }
  /** Not there, or not any more the file that it was at the begin. */
  | { readonly state: "gone" }
  | { readonly state: "irregular" };

/** What disks and their drivers say of what they do not give. */
const diskErrors: ReadonlySet<string> = new Set(["EIO", "EILSEQ", "EBADMSG", "EUCLEAN", "ENODATA"]);

export function isDiskError(error: unknown): boolean {
  return error instanceof FileError && diskErrors.has(error.code);
}

/** `expected`: a file of another size is not read. Throws `FileError` for what is not the file's fault. */
export function* readContent(
  world: ReadWorld,
  path: string,
  expected: number | undefined,
): Generator<undefined, ReadContent> {
  const file = openOr(world.disk, path);
  if (typeof file === "string") return file === "unreadable" ? unreadable(0) : { state: file };
  try {
    const sizeBytes = file.size();
    if (sizeBytes === undefined) return { state: "irregular" };
    if (expected !== undefined && sizeBytes !== expected) return { state: "other-size", sizeBytes };
    return yield* crcOf(world, file, sizeBytes);
  } finally {
    file.close();
  }
}

export interface StatedContent {
  readonly content: ReadContent;
  /** Undefined where it changed meanwhile, or could not be read. */
  readonly facts: DiskFileFacts | undefined;
}

/** With what the file system knows of it, the same before and after. */
export function* readStated(world: ReadWorld, path: string): Generator<undefined, StatedContent> {
  const file = openOr(world.disk, path);
  if (typeof file === "string") {
    const content = file === "unreadable" ? unreadable(0) : ({ state: file } as const);
    return { content, facts: undefined };
  }
  try {
    const before = file.facts();
    if (before.kind !== "file") return { content: { state: "irregular" }, facts: undefined };
    const content = yield* crcOf(world, file, before.sizeBytes);
    const after = file.facts();
    const isSame =
      after.sizeBytes === before.sizeBytes &&
      after.modifiedNs === before.modifiedNs &&
      after.changedNs === before.changedNs;
    return { content, facts: isSame ? after : undefined };
  } finally {
    file.close();
  }
}

function* crcOf(
  world: ReadWorld,
  file: DiskFile,
  sizeBytes: number,
): Generator<undefined, ReadContent> {
  const { tally, pace } = world;
  let crc = 0;
  try {
    for (let done = 0; done < sizeBytes; ) {
      const wanted = Math.min(pace?.pieceBytes ?? maxDiskRead, sizeBytes - done);
      pace?.began();
      const piece = file.read(wanted, done);
      pace?.ended(piece.length);
      tally.bytes += piece.length;
      done += piece.length;
      if (piece.length === wanted) readAhead(world, file, { from: done, sizeBytes });
      crc = crc32(piece, crc);
      if (piece.length < wanted) return { state: "gone" };
      if (done < sizeBytes) yield undefined;
    }
  } catch (error) {
    if (!isDiskError(error)) throw error;
    return unreadable(sizeBytes);
  }
  return { state: "read", sizeBytes, crc32: crc };
}

/** The next pieces, so that the disk has something to do meanwhile. */
export function readAhead(
  { pace, readsAhead }: ReadWorld,
  file: DiskFile,
  { from, sizeBytes }: { readonly from: number; readonly sizeBytes: number },
): void {
  if (file.ahead === undefined || readsAhead?.() !== true) return;
  const most = pace?.pieceBytes ?? maxDiskRead;
  const end = Math.min(sizeBytes, from + piecesAhead * most);
  for (let at = from; at < end; at += most) file.ahead(Math.min(most, sizeBytes - at), at);
}

function unreadable(sizeBytes: number): ReadContent {
  return { state: "unreadable", sizeBytes };
}

function openOr(disk: DiskReads, path: string): DiskFile | "gone" | "irregular" | "unreadable" {
  try {
    return disk.open(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "gone";
    if (error.code === "ELOOP" || error.code === "ENXIO") return "irregular";
    if (isDiskError(error)) return "unreadable";
    throw error;
  }
}
