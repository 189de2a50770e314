/**
 * Room that a full disk keeps for deletions: a file whose blocks are given back, a step at a time, to the commit of removals and truncations
 * that finds no room for its records, for a directory, or for zeros over a packed file. Without it nothing could be deleted on a full
 * disk. While a part of it is gone nothing else is stored, until the file system has room to make it whole again; a path that never had
 * one gets it as soon as there is room. Its size on the disk is what counts, also after a crash. Worker thread.
 */
import type { Log } from "#base/log.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { isFull } from "#filestore/worker/disk-failure.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { reserveBytes, reserveMarginBytes, reserveStepBytes } from "#filestore/worker/limits.ts";
import type { Clock } from "#platform/clock.ts";
import { FileError, type Files } from "#platform/files.ts";

/** In the background; whoever wants to store something looks at once. */
const retryMs = 1000;

export interface RoomReserveParts {
  readonly files: Files;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  readonly layout: FileLayout;
  /** It is not whole, and there is no room to make it so. */
  readonly onNoRoom: () => void;
}

export class RoomReserve implements BackgroundWork {
  readonly #parts: RoomReserveParts;
  readonly #path: string;
  /** What is there of it, as far as is known. */
  #size = 0;
  #isBroken = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: RoomReserveParts) {
    this.#parts = parts;
    this.#path = reservePath(parts.layout);
  }

  /** Looks what the last run left. Throws `FileError`. */
  look(): void {
    const size = this.#parts.files.stat(this.#path, false)?.sizeBytes;
    this.#size = Math.min(size ?? 0, reserveBytes);
    this.#isBroken = size !== undefined && size < reserveBytes;
  }

  /** False while a part of it is gone: then only what gives room back may be done. */
  get isWhole(): boolean {
    return !this.#isBroken;
  }

  /** Gives the disk at least so many bytes more, and mostly a step; false where nothing is left. */
  release(bytes = 0): boolean {
    if (this.#size === 0) return false;
    const { files, log } = this.#parts;
    const size = Math.max(0, this.#size - Math.max(bytes, reserveStepBytes));
    try {
      const descriptor = files.open(this.#path, "read-write");
      try {
        files.truncate(descriptor, size);
      } finally {
        files.close(descriptor);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("reserve-not-released", { problem: error.message });
      return false;
    }
    if (!this.#isBroken) log.notice("reserve-in-use", { path: this.#path });
    this.#size = size;
    this.#isBroken = true;
    return true;
  }

  /** True where it is whole, or is again. */
  restore(): boolean {
    if (!this.#isBroken) return true;
    if (!this.#make()) return false;
    this.#parts.log.notice("reserve-whole", { path: this.#path });
    return true;
  }

  /** As `BackgroundWork` has it. */
  step(): number | undefined {
    if (this.#size === reserveBytes) return undefined;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs < this.#retryAtMs) return undefined;
    this.#retryAtMs = nowMs + retryMs;
    const isWhole = this.#isBroken ? this.restore() : this.#make();
    if (!isWhole) this.#parts.onNoRoom();
    return undefined;
  }

  #make(): boolean {
    const { files, layout, log } = this.#parts;
    const missing = reserveBytes - this.#size;
    try {
      if (files.space(layout.data).freeBytes < missing + reserveMarginBytes) return false;
      // Not flushed: a power cut leaves less of it, which the next start makes again.
      const descriptor = files.open(this.#path, this.#size === 0 ? "write" : "read-write");
      try {
        files.write(descriptor, filling().subarray(this.#size), this.#size);
      } catch (error) {
        files.truncate(descriptor, this.#size);
        throw error;
      } finally {
        files.close(descriptor);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!isFull(error)) log.warn("reserve-not-made", { problem: error.message });
      return false;
    }
    this.#size = reserveBytes;
    this.#isBroken = false;
    return true;
  }
}

/** At a start for which a full disk has no room: all of it. False where there is none. Throws `FileError`. */
export function releaseWholeReserve(files: Files, layout: FileLayout): boolean {
  const path = reservePath(layout);
  const stat = files.stat(path, false);
  if (stat === undefined || stat.sizeBytes === 0) return false;
  const descriptor = files.open(path, "read-write");
  try {
    files.truncate(descriptor, 0);
  } finally {
    files.close(descriptor);
  }
  return true;
}

function reservePath(layout: FileLayout): string {
  return `${layout.own}/reserve`;
}

/** Bytes that no file system makes smaller (xorshift). */
function filling(): Buffer {
  const words = new Uint32Array(reserveBytes / Uint32Array.BYTES_PER_ELEMENT);
  let word = 0x9e3779b9;
  for (let at = 0; at < words.length; at += 1) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[at] = word;
  }
  return Buffer.from(words.buffer);
}
