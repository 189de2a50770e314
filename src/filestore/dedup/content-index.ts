/**
 * Where the contents of one store path lie, by hash: `index.sqlite`, and in front of it what has not been written yet. A file is
 * noted when it has been received, whether or not it is committed afterwards: whoever relies on an entry looks at the file, and an
 * entry that is not true any more only costs a copy. An index that is lost or damaged is begun anew, and filled by a walk over the
 * files; failures of the database never reach an upload. Worker thread.
 */

import { describeError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import type { Log } from "#base/log.ts";
import { type ContentRow, ContentTable } from "#filestore/dedup/content-table.ts";
import {
  indexBatchRows,
  indexDelayMs,
  maxKnownRuns,
  maxNewIndexes,
  maxWaitingRows,
  unsettledSeconds,
} from "#filestore/dedup/limits.ts";
import type { Clock } from "#platform/clock.ts";
import { type Databases, failureKind } from "#platform/databases.ts";
import { FileError, type Files } from "#platform/files.ts";

export const contentIndexFilename = "index.sqlite";
/** The walk has been everywhere: there are this many directories. */
export const allDirectories = 256 * 256;

const companions = ["", "-wal", "-shm", "-journal"];

/** Who holds a content: names as `HH/HH/base`. */
export interface ContentHolders {
  readonly name: string;
  /** Empty where there was none before. */
  readonly former: string;
  /** Noted by an earlier run. */
  readonly run: number;
}

export interface ContentIndexParts {
  readonly databases: Databases;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the database. */
  readonly directory: string;
}

export class ContentIndex {
  readonly #parts: ContentIndexParts;
  readonly #waiting = new Map<string, ContentRow>();
  /** Undefined where there is no usable database: then the index is what waits, and forgets it. */
  #table: ContentTable | undefined;
  #waitingSinceMs = 0;
  #newIndexes = 0;
  #run = 1;
  #runs: ReadonlyMap<number, number> = new Map();
  #lastSeconds = 0;
  #nextDirectory = 0;
  #walked = false;
  /** Runs, or parts of this one, that ended with a failed flush. */
  readonly #distrusted = new Set<number>();

  constructor(parts: ContentIndexParts) {
    this.#parts = parts;
  }

  /** Never throws: an index that cannot be used is one that knows nothing. */
  open(): void {
    assert(this.#table === undefined, "an index is opened once");
    try {
      this.#open();
    } catch (error) {
      this.#failed(error, "open");
    }
  }

  /** The number of this run. */
  get run(): number {
    return this.#run;
  }

  /** Where the walk goes on; `allDirectories` when it has been everywhere. */
  get nextDirectory(): number {
    return this.#table === undefined ? allDirectories : this.#nextDirectory;
  }

  find(hash: Uint8Array): ContentHolders | undefined {
    const waiting = this.#waiting.get(keyOf(hash));
    if (waiting !== undefined || this.#table === undefined) return waiting;
    try {
      const found = this.#table.find(hash);
      return found !== undefined && this.#distrusted.has(found.run) ? undefined : found;
    } catch (error) {
      this.#failed(error, "read");
      return undefined;
    }
  }

  /** `name` holds the content, and `former` did before it. `seconds` is the time in the name. */
  note(hash: Uint8Array, holders: Omit<ContentHolders, "run">, seconds: number): void {
    if (this.#waiting.size === 0) this.#waitingSinceMs = this.#parts.clock.monotonicMs();
    this.#waiting.set(keyOf(hash), { hash, ...holders, run: this.#run });
    this.#lastSeconds = Math.max(this.#lastSeconds, seconds);
    if (this.#waiting.size >= maxWaitingRows) this.write();
  }

  /**
   * A flush failed: the kernel may have dropped what files noted by this run held, and show it nevertheless as long as it is cached.
   * Nothing that was noted so far is found any more; what is noted from now on counts as another run.
   */
  distrust(): void {
    this.#distrusted.add(this.#run);
    this.#waiting.clear();
    this.#run += 1;
  }

  /** The walk went on from directory `from` and has been in every one before `to`. */
  walkedTo(from: number, to: number): void {
    // Begun anew meanwhile: the walk begins anew as well.
    if (from !== this.#nextDirectory) return;
    this.#nextDirectory = to;
    this.#walked = true;
  }

  /** True for what an earlier run noted so shortly before its end that it may be lost: read it before relying on it. */
  isUnsettled(holders: ContentHolders, seconds: number): boolean {
    if (holders.run === this.#run) return false;
    const end = this.#runs.get(holders.run);
    return end === undefined || seconds > end - unsettledSeconds;
  }

  /** Milliseconds until there is something to write; undefined where there is nothing. */
  get dueMs(): number | undefined {
    if (this.#waiting.size >= indexBatchRows) return 0;
    if (this.#waiting.size === 0 && !this.#walked) return undefined;
    const waited = this.#parts.clock.monotonicMs() - this.#waitingSinceMs;
    return Math.max(0, indexDelayMs - waited);
  }

  /** Writes what waits. Never throws. */
  write(): void {
    // In the order of the table, so that neighbours are written together.
    const rows = [...this.#waiting.entries()].sort(byKey).map(([, row]) => row);
    this.#waiting.clear();
    this.#walked = false;
    this.#waitingSinceMs = this.#parts.clock.monotonicMs();
    if (this.#table === undefined) return;
    try {
      this.#table.write(rows, {
        run: this.#run,
        lastSeconds: this.#lastSeconds,
        nextDirectory: this.#nextDirectory,
      });
    } catch (error) {
      this.#failed(error, "write");
    }
  }

  /** Never throws. */
  close(): void {
    this.write();
    try {
      this.#table?.close();
    } catch (error) {
      this.#parts.log.warn("content-index-not-closed", { why: describeError(error) });
    }
    this.#table = undefined;
  }

  #open(): void {
    const { databases, log } = this.#parts;
    const table = ContentTable.open(databases.open(this.#path));
    this.#table = table;
    this.#runs = table.runs(maxKnownRuns);
    this.#run = Math.max(0, ...this.#runs.keys()) + 1;
    this.#nextDirectory = table.nextDirectory();
    table.forgetRunsBefore(this.#run - maxKnownRuns);
    // Rows of this run must never be taken for those of the next one, which counts from here.
    table.write([], { run: this.#run, lastSeconds: 0, nextDirectory: this.#nextDirectory });
    if (this.#nextDirectory < allDirectories) {
      log.notice("content-index-incomplete", { from: this.#nextDirectory });
    }
  }

  /** A damaged database is begun anew; one that the disk refuses is left as it is, and not asked again. */
  #failed(error: unknown, doing: string): void {
    const { log } = this.#parts;
    const kind = failureKind(error);
    const why = describeError(error);
    if (kind === "refused" && this.#table !== undefined) {
      log.warn("content-index-refused", { doing, why });
      return;
    }
    this.#abandon();
    if (kind === "refused" || this.#newIndexes >= maxNewIndexes) {
      log.error("content-index-unusable", { doing, why });
      return;
    }
    this.#newIndexes += 1;
    log.error("content-index-damaged", { doing, why });
    try {
      this.#removeFiles();
      this.#open();
    } catch (again) {
      this.#abandon();
      log.error("content-index-unusable", { doing: "begin anew", why: describeError(again) });
    }
  }

  #abandon(): void {
    const table = this.#table;
    this.#table = undefined;
    try {
      table?.close();
    } catch (error) {
      this.#parts.log.debug("content-index-not-closed", { why: describeError(error) });
    }
  }

  #removeFiles(): void {
    for (const companion of companions) {
      try {
        this.#parts.files.remove(this.#path + companion);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        this.#parts.log.warn("content-index-not-removed", { why: error.message });
      }
    }
  }

  get #path(): string {
    return `${this.#parts.directory}/${contentIndexFilename}`;
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("latin1");
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
