/**
 * What a store path's thread and the main thread tell each other about the disk, beside the ring, which stands still while the
 * thread does: the thread counts its file calls and the flushes that ended, so that a disk that hangs is told from one that is
 * slow; the main thread names the requests that nobody waits for any more. Also holds whether changes are taken: a failed flush ends
 * that until a check found the path well. Worker thread, but for `PathPulse`.
 */
import type { AppError } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { StorePathPost } from "#filestore/worker-messages.ts";
import { FileError } from "#platform/files.ts";

const callsAt = 0;
const flushingAt = 1;
const flushedAt = 2;
const abandonedAt = 3;
const words = 4;

export function makePulseMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
}

/** No room, or none for this user. */
const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT"];

/** True where request `id` was made at or before `last`; both count modulo 2^31, and are never further apart than half of that. */
export function isUpTo(id: number, last: number): boolean {
  return (id - last) << 1 <= 0;
}

/** The main thread's side. */
export class PathPulse {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** File calls so far, modulo 2^32: it moves as long as the thread gets anywhere. */
  get calls(): number {
    return Atomics.load(this.#words, callsAt);
  }

  /** Flushes that were begun and have not ended. */
  get flushing(): number {
    return Atomics.load(this.#words, flushingAt);
  }

  /** Flushes that have ended, modulo 2^32. */
  get flushed(): number {
    return Atomics.load(this.#words, flushedAt);
  }

  /** Nobody waits any more for the requests up to this one. Call it now and then: see `isUpTo`. */
  abandonUpTo(id: number): void {
    Atomics.store(this.#words, abandonedAt, id);
  }
}

/** The thread's side. */
export class PathCondition {
  readonly #words: Int32Array;
  readonly #post: (post: StorePathPost) => void;
  #refusal: AppError<FileStoreErrorCode> | undefined;
  #refusesForGood = false;
  #suspicions = 0;

  constructor(memory: SharedArrayBuffer, post: (post: StorePathPost) => void) {
    this.#words = new Int32Array(memory);
    this.#post = post;
  }

  /**
   * A file call begins. Where it does not end no other one does. Only this thread writes the word, and whoever reads it may see it a
   * little late: an atomic addition would cost more than everything else here.
   */
  callBegins(): void {
    this.#words[callsAt] = ((this.#words[callsAt] as number) + 1) | 0;
  }

  flushesBegan(count: number): void {
    Atomics.add(this.#words, flushingAt, count);
  }

  flushesEnded(count: number): void {
    Atomics.sub(this.#words, flushingAt, count);
    Atomics.add(this.#words, flushedAt, count);
  }

  /** The main thread has given this request up: it is answered without being carried out, unless that has begun. */
  isAbandoned(id: number): boolean {
    return isUpTo(id, Atomics.load(this.#words, abandonedAt));
  }

  /**
   * A flush failed: what was written since the last good one is suspect. To be called by the commit (or by whatever else flushes)
   * once its changes are refused; from then on `refusal` is what new changes are answered with.
   */
  onFlushFailed(error: unknown): void {
    const errno = error instanceof FileError ? error.code : "";
    // A full disk loses what was not flushed as well; but that was not acknowledged, and nothing else is in doubt.
    if (fullCodes.includes(errno)) return;
    this.#suspicions += 1;
    if (this.#refusal !== undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#refusal = fileStoreError(
      "disk-failed",
      `a flush failed (${message}): nothing is stored here until the path was checked`,
      { cause: error, details: { errno: errno === "" ? "EIO" : errno } },
    );
    this.#post({ post: "flush-failed", message });
  }

  /** Why changes are refused; undefined while they are taken. */
  get refusal(): AppError<FileStoreErrorCode> | undefined {
    return this.#refusal;
  }

  /** This worker takes no changes, whatever a check finds. */
  refuse(refusal: AppError<FileStoreErrorCode>): void {
    this.#refusal = refusal;
    this.#refusesForGood = true;
  }

  /** Failed flushes that no check has answered for. */
  get suspicions(): number {
    return this.#suspicions;
  }

  /** A check that began with so many suspicions found everything in order: changes are taken again. Throws where a flush failed since. */
  cleared(suspicions: number): void {
    if (this.#suspicions !== suspicions) {
      throw fileStoreError("disk-failed", "another flush failed while the path was checked");
    }
    this.#suspicions = 0;
    if (!this.#refusesForGood) this.#refusal = undefined;
  }
}
