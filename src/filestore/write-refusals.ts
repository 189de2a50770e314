/**
 * Whether a store path takes what is written to it: one that is full or refuses writes is passed over for a while when another one
 * can serve, and that is said once in the log. Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { Clock } from "#platform/clock.ts";

/** A path that refused a write is tried again after this, or at once when there is no other. */
const retryAfterMs = 10_000;

type Condition = "good" | "full" | "failing";

/** So much more room than when it was full, or a hundredth of the disk, ends that also where nothing is written. */
const roomAgainBytes = 16 * 1024 * 1024;

/** What of a failure is the path's own condition, and not the request's. */
const conditions: Partial<Record<FileStoreErrorCode, Condition>> = {
  "store-full": "full",
  "disk-failed": "failing",
};

export class WriteRefusals {
  readonly #path: Pick<StorePathSettings, "index" | "directory">;
  readonly #clock: Clock;
  readonly #log: Log;
  #condition: Condition = "good";
  #retryAtMs = 0;
  /** What was free when it was full. */
  #fullAtBytes = 0;
  #tooLargeSaidMs = Number.NEGATIVE_INFINITY;

  constructor(
    path: Pick<StorePathSettings, "index" | "directory">,
    parts: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#path = path;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** It refused a write a moment ago. */
  get refused(): boolean {
    return this.#condition !== "good" && this.#clock.monotonicMs() < this.#retryAtMs;
  }

  get inWords(): string | undefined {
    if (this.#condition === "good") return undefined;
    return this.#condition === "full"
      ? "it is full: delete files, or add a disk"
      : "it refuses writes: look at the kernel's log and at the disk";
  }

  /** A write was done. */
  stored(): void {
    this.#recover();
  }

  /** It was looked how much room there is. */
  measured(freeBytes: number, totalBytes: number): void {
    if (this.#condition !== "full" || this.refused) return;
    const wanted = Math.min(roomAgainBytes, totalBytes / 100);
    if (freeBytes >= this.#fullAtBytes + wanted) this.#recover();
  }

  #recover(): void {
    if (this.#condition === "good") return;
    this.#log.notice("store-path-writes-again", { path: this.#path.index });
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
    else {
      this.#fullAtBytes = 0;
      this.#note(condition, error);
    }
  }

  /** Said now and then, since a client that asks for the impossible may do so often. */
  #noteTooLarge(error: AppError): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#tooLargeSaidMs + retryAfterMs) return;
    this.#tooLargeSaidMs = nowMs;
    this.#log.warn("store-path-lacks-space", {
      path: this.#path.index,
      why: describeError(error),
    });
  }

  /** Not even an empty file may be placed here: the reserve is reached. */
  reachedReserve(error: AppError, freeBytes: number): void {
    this.#fullAtBytes = freeBytes;
    this.#note("full", error);
  }

  #note(condition: Condition, error: AppError): void {
    this.#retryAtMs = this.#clock.monotonicMs() + retryAfterMs;
    if (this.#condition === condition) return;
    this.#condition = condition;
    const event = condition === "full" ? "store-path-full" : "store-path-refuses-writes";
    const { index: path, directory } = this.#path;
    this.#log.warn(event, { path, directory, why: describeError(error) });
  }
}
