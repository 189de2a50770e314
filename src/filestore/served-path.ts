/**
 * One store path as the file store sees it: its worker, its space, and whether it takes what is written. A path that refuses
 * is passed over for a while when another one can serve, and says once in the log that it does. Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { PathSpace } from "#filestore/path-selector.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { request } from "#filestore/worker-messages.ts";
import type { Clock } from "#platform/clock.ts";

/** A path that refused a write is tried again after this, or at once when there is no other. */
const retryAfterMs = 10_000;

/**
 * A disk that lets us wait this long for its free space is busy beyond use, or hangs. Other requests tell less: some of them
 * may take minutes on a healthy disk, such as the CRC-32 of a large file.
 */
const answerLimitMs = 2000;

type Condition = "good" | "full" | "failing";

/** What of a failure is the path's own condition, and not the request's. */
const conditions: Partial<Record<FileStoreErrorCode, Condition>> = {
  "store-full": "full",
  "disk-failed": "failing",
};

export class ServedPath {
  readonly client: StorePathClient;
  readonly #clock: Clock;
  readonly #log: Log;
  #condition: Condition = "good";
  #retryAtMs = 0;
  #tooLargeSaidMs = Number.NEGATIVE_INFINITY;
  #totalBytes = 0;
  #freeBytes = 0;
  #device = Number.NaN;
  /** Since when its free space is being asked for; undefined while it is not. */
  #askedMs: number | undefined;
  /** How many paths of this node lie on the same file system, this one included. */
  #sharers = 1;

  constructor(client: StorePathClient, parts: { readonly clock: Clock; readonly log: Log }) {
    this.client = client;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  get index(): number {
    return this.client.settings.index;
  }

  get isOnline(): boolean {
    return this.client.state === "online";
  }

  /** New files may be placed here, as far as settings and worker go. */
  get isWritable(): boolean {
    return this.isOnline && !this.client.settings.readOnly;
  }

  /** False when its disk has not told its free space for seconds: it is busy beyond use, or hangs. */
  get answers(): boolean {
    const asked = this.#askedMs;
    return asked === undefined || this.#clock.monotonicMs() - asked < answerLimitMs;
  }

  /** It hangs, or refused a write a moment ago: others come first. */
  get isAvoided(): boolean {
    const refused = this.#condition !== "good" && this.#clock.monotonicMs() < this.#retryAtMs;
    return refused || !this.answers;
  }

  /** For the choice of a path. Its share of the reserve counts for all paths on its file system. */
  get space(): PathSpace {
    return {
      index: this.index,
      writable: this.isWritable,
      avoided: this.isAvoided,
      totalBytes: this.#totalBytes,
      freeBytes: this.#freeBytes,
      sharers: this.#sharers,
    };
  }

  /** Paths on one file system report an equal part of it each, so that sums are right. */
  get report(): StorePathReport {
    const { settings, state, problem } = this.client;
    return {
      index: settings.index,
      directory: settings.directory,
      state,
      problem: problem ?? this.#conditionInWords(),
      readOnly: settings.readOnly,
      totalBytes: Math.floor(this.#totalBytes / this.#sharers),
      freeBytes: Math.floor(this.#freeBytes / this.#sharers),
    };
  }

  /** Asks the worker how much room there is, unless it still owes the last answer. */
  async measure(): Promise<void> {
    if (this.#askedMs !== undefined) return;
    this.#askedMs = this.#clock.monotonicMs();
    try {
      const space = await this.client.send({ kind: request.space });
      this.#totalBytes = space.a;
      this.#freeBytes = space.b;
      this.#device = space.c;
    } finally {
      this.#askedMs = undefined;
    }
  }

  /** After measuring: who lies on one file system with this path. */
  learnNeighbours(paths: readonly ServedPath[]): void {
    const sharers = paths.filter((path) => path.isOnline && path.#device === this.#device).length;
    this.#sharers = Math.max(1, sharers);
  }

  /** Something was written; the next measuring corrects the estimate. */
  stored(bytes: number): void {
    this.#freeBytes -= bytes;
    if (this.#condition === "good") return;
    this.#log.notice("store-path-writes-again", { path: this.index });
    this.#condition = "good";
  }

  /** A write failed. What is the request's own fault changes nothing. */
  failed(error: unknown): void {
    if (!(error instanceof AppError)) return;
    const condition = conditions[error.code as FileStoreErrorCode];
    const errno = typeof error.details.errno === "string" ? error.details.errno : undefined;
    if (condition === undefined) return;
    // Without the disk's own word there was only no room for a file of that size.
    if (errno === undefined) this.#noteTooLarge(error);
    else this.#note(condition, error);
  }

  /** Said now and then, since a client that asks for the impossible may do so often. */
  #noteTooLarge(error: AppError): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#tooLargeSaidMs + retryAfterMs) return;
    this.#tooLargeSaidMs = nowMs;
    this.#log.warn("store-path-lacks-space", { path: this.index, why: describeError(error) });
  }

  /** Not even an empty file may be placed here: the reserve is reached. */
  reachedReserve(error: AppError): void {
    this.#note("full", error);
  }

  #note(condition: Condition, error: AppError): void {
    this.#retryAtMs = this.#clock.monotonicMs() + retryAfterMs;
    if (this.#condition === condition) return;
    this.#condition = condition;
    const event = condition === "full" ? "store-path-full" : "store-path-refuses-writes";
    const { directory } = this.client.settings;
    this.#log.warn(event, { path: this.index, directory, why: describeError(error) });
  }

  #conditionInWords(): string | undefined {
    if (this.#condition === "good") return undefined;
    return this.#condition === "full"
      ? "it is full: delete files, or add a disk"
      : "it refuses writes: look at the kernel's log and at the disk";
  }
}
