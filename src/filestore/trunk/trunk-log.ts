/**
 * `.cairn/trunk.log`: which space of this node's trunk files became free or was taken, in the lines of a trunk binlog (protocol §4.6).
 * It saves the next start a walk through the trunk files and is right as far as it goes: after a crash its end may be missing, and what
 * is taken from it is looked at before it is used. Grown to a multiple of what it says, it is written anew. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { parseTrunkLogLine, trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import type { TrunkFile, TrunkSpace } from "#filestore/trunk/trunk-space.ts";
import type { TrunkLocation, TrunkSlot } from "#model/trunk-location.ts";
import type { Clock } from "#platform/clock.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** Text that is kept before it is written. */
const maxPendingCharacters = 16 * 1024;
/** Read, or written anew, in one step. */
const stepBytes = 256 * 1024;
/** A smaller log is never written anew. */
export const minCompressedBytes = 256 * 1024;
/** A log that is longer than this many times what it says is written anew. */
const maxGrowth = 2;
/** About the length of a line. */
const lineBytes = 36;

export interface TrunkLogParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly path: string;
  readonly storePathIndex: number;
}

export class TrunkLog {
  readonly #parts: TrunkLogParts;
  #descriptor: FileDescriptor | undefined;
  #bytes = 0;
  #pending = "";
  /** The last change, which the next one may go on with. */
  #open: { kind: "free" | "used"; file: TrunkFile; offset: number; size: number } | undefined;
  /** It is being written anew: lines are kept until the new one is in place. */
  #replacing = false;
  #broken = false;

  constructor(parts: TrunkLogParts) {
    this.#parts = parts;
  }

  /** Notes that a slot became free, or was taken. Nothing is thrown: the log may end anywhere. */
  note(kind: "free" | "used", file: TrunkFile, slot: Pick<TrunkSlot, "offset" | "size">): void {
    const open = this.#open;
    const { offset, size } = slot;
    const goesOn =
      open !== undefined &&
      open.kind === kind &&
      open.file === file &&
      open.offset + open.size === offset;
    if (goesOn) {
      open.size += size;
      return;
    }
    this.#closeLine();
    this.#open = { kind, file, offset, size };
    if (this.#pending.length > maxPendingCharacters && !this.#replacing) this.write();
  }

  /** Notes the whole of what is known of a file. */
  restate(file: TrunkFile, free: Iterable<Pick<TrunkSlot, "offset" | "size">>): void {
    this.note("used", file, { offset: 0, size: file.sizeBytes });
    for (const extent of free) this.note("free", file, extent);
  }

  /** Hands what was noted to the file system. */
  write(): void {
    this.#closeLine();
    if (this.#replacing) return;
    // What was noted since is part of what the log is written anew from.
    if (this.#broken) this.#pending = "";
    if (this.#pending === "") return;
    const { files, log, path } = this.#parts;
    try {
      this.#descriptor ??= files.open(path, "append");
      files.write(this.#descriptor, Buffer.from(this.#pending, "latin1"));
      this.#bytes += this.#pending.length;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // A part of a line would spoil the next one; the next start looks into the trunk files instead.
      this.#broken = true;
      log.warn("trunk-log-not-written", { path, problem: error.message });
    }
    this.#pending = "";
  }

  /** Writes and flushes. False where the log is not what it should be. */
  close(): boolean {
    this.write();
    const { files } = this.#parts;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return !this.#broken;
    try {
      if (!this.#broken) files.flush(descriptor);
    } finally {
      files.close(descriptor);
    }
    return !this.#broken;
  }

  /** True where it is worth being written anew. */
  isWorthCompressing(extents: number): boolean {
    if (this.#broken) return true;
    return this.#bytes > Math.max(minCompressedBytes, extents * lineBytes * maxGrowth);
  }

  /**
   * Reads what is there, in steps. False where a line other than the last is none, or where there is no log. Throws `FileError`.
   */
  *read(take: (kind: "free" | "used", location: TrunkLocation) => void): Generator<void, boolean> {
    const { files, path, storePathIndex } = this.#parts;
    if (files.stat(path, true)?.kind !== "file") return false;
    const descriptor = files.open(path, "read");
    let whole = true;
    try {
      const size = files.statDescriptor(descriptor).sizeBytes;
      this.#bytes = Math.max(this.#bytes, size);
      const buffer = Buffer.allocUnsafe(Math.min(stepBytes, size));
      for (let offset = 0; offset < size; ) {
        const wanted = buffer.subarray(0, Math.min(buffer.length, size - offset));
        const got = files.read(descriptor, wanted, offset);
        const end = buffer.lastIndexOf(0x0a, got - 1);
        // What has no end was being written when the end came.
        if (got === 0 || end < 0) return whole && offset + got === size && got < stepBytes;
        for (const line of buffer.toString("latin1", 0, end).split("\n")) {
          const entry = parseTrunkLogLine(line);
          if (entry === undefined || entry.location.storePathIndex !== storePathIndex)
            whole = false;
          else take(entry.kind, entry.location);
        }
        offset += end + 1;
        yield;
      }
      return whole;
    } finally {
      files.close(descriptor);
    }
  }

  /** Writes the log anew from what is known, in steps; what is noted meanwhile follows it. Throws `FileError`. */
  *compress(space: TrunkSpace): Generator<void, void> {
    const { files, path } = this.#parts;
    const temporary = `${path}.new`;
    this.#replacing = true;
    const descriptor = files.open(temporary, "write");
    let bytes = 0;
    try {
      let text = "";
      for (const { file, free } of [...space.files]) {
        for (const extent of free ?? []) {
          text += this.#line("free", file, extent);
          if (text.length < stepBytes) continue;
          bytes += this.#writeText(descriptor, text);
          text = "";
        }
        if (text.length > stepBytes / 2) yield;
      }
      bytes += this.#writeText(descriptor, text);
      files.flush(descriptor);
      files.rename(temporary, path);
      if (this.#descriptor !== undefined) files.close(this.#descriptor);
      this.#descriptor = undefined;
      this.#bytes = bytes;
      this.#broken = false;
    } finally {
      files.close(descriptor);
      this.#replacing = false;
    }
  }

  #writeText(descriptor: FileDescriptor, text: string): number {
    this.#parts.files.write(descriptor, Buffer.from(text, "latin1"));
    return text.length;
  }

  #closeLine(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#pending += this.#line(open.kind, open.file, open);
  }

  #line(
    kind: "free" | "used",
    file: TrunkFile,
    extent: { readonly offset: number; readonly size: number },
  ): string {
    const { id: fileId, high, low } = file;
    const { storePathIndex, clock } = this.#parts;
    const { offset, size } = extent;
    const seconds = Math.floor(clock.nowMs() / 1000);
    return trunkLogLine(kind, seconds, { storePathIndex, high, low, fileId, offset, size });
  }
}
