/**
 * The store paths of a file store by their index, which is part of every name, each with a worker of its own: opens them, looks at their
 * disks now and then, measures them, and tells those who follow when one is there. Paths come and go while the store serves; the list is the
 * same object for its whole life, and has no gaps: an index without a disk is a path that is offline and says why. Main thread.
 */
import { type AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { BriefAbsences } from "#filestore/brief-absences.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import { lookPeriodMs } from "#filestore/path-watch.ts";
import { ServedPath } from "#filestore/served-path.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { type Clock, delay, type Timer } from "#platform/clock.ts";
import type { Workers } from "#platform/workers.ts";

/** Free space moves slowly against the reserve; what is stored in between is subtracted as it goes. */
const spacePeriodMs = 1000;
/** A path that takes longer to open, having much to recover or hanging, does not keep the node from being served. */
const openLimitMs = 10_000;
/** A worker that is told to end has this long for what it has begun. */
const takeLimitMs = 30_000;
/** A path that goes for a moment does so when no payload is under way, if that comes within this. */
const quietLimitMs = 10_000;
/** Payloads that are under way when it goes all the same have this long to end; nothing begins meanwhile. */
const payloadLimitMs = 4000;
const payloadLookMs = 5;
/** As many as names can tell apart (protocol §3.1). */
export const maxStorePaths = 256;
const noDiskYet = "no disk of this node carries it: plug in the one that does";

export interface StorePathsParts {
  readonly workers: Workers;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a disk may stand still before its path is quarantined. */
  readonly diskTimeoutMs: number;
  /** Starts also where no store path can be served: somebody else has the files. */
  readonly startsUnserved?: boolean;
  /** See `ServedPathParts`. */
  readonly closed?: (index: number) => string | undefined;
  /** See `StorePathThreadData.names`. */
  readonly names: SharedArrayBuffer;
  /** A path was put into the list. */
  readonly onPlaced: (path: ServedPath) => void;
  /** A worker has just opened it: the first one or another. */
  readonly onOpen: (path: ServedPath) => void;
  /** A path was added while the store serves; `isOther`: another disk than the one that had its index before. */
  readonly onAdded: (index: number, isOther: boolean) => void;
  /** Something about a path changed. */
  readonly onChange: () => void;
}

export class StorePaths {
  readonly #parts: StorePathsParts;
  readonly #paths: ServedPath[] = [];
  readonly #adding = new Set<number>();
  /** Those that come back by themselves. */
  readonly absences: BriefAbsences;
  /** Of the disk that a path had before it was taken away. */
  readonly #lastId = new Map<number, string>();
  #timers: readonly Timer[] = [];
  #closing = false;

  constructor(parts: StorePathsParts) {
    this.#parts = parts;
    this.absences = new BriefAbsences(parts.clock);
  }

  /** By index; others may keep it, since it is the same list for good. */
  get all(): readonly ServedPath[] {
    return this.#paths;
  }

  /** Before the start: the next path. */
  place(settings: StorePathSettings): void {
    const { log, names } = this.#parts;
    this.#put(new ServedPath(new StorePathClient(settings, log, names), this.#parts));
  }

  #put(path: ServedPath): void {
    const { onPlaced, onChange, onOpen } = this.#parts;
    this.#paths[path.index] = path;
    path.onChange = onChange;
    path.onOpen = () => onOpen(path);
    onPlaced(path);
  }

  /** Before the start: an index that has no disk now. */
  placeAbsent(settings: StorePathSettings, why = noDiskYet): void {
    this.#put(this.#absent(settings, why));
  }

  /**
   * A store path that begins to be served now: a new one, or one whose disk was away. What is between the last index and this one has no
   * disk yet. Rejects, and nothing has changed, with `store-path-busy` where one is served by that index, or as its worker does.
   */
  async add(settings: StorePathSettings): Promise<void> {
    const { index, directory } = settings;
    this.#requireFree(index);
    this.#adding.add(index);
    try {
      const { log, names } = this.#parts;
      this.#giveUp(index);
      const path = new ServedPath(new StorePathClient(settings, log, names), this.#parts);
      await path.open();
      if (this.#closing) {
        await path.client.close();
        throw fileStoreError("store-closing", "the node is stopping");
      }
      const known = this.#lastId.get(index);
      for (let gap = this.#paths.length; gap < index; gap += 1) {
        this.placeAbsent({ ...settings, index: gap, directory: "" });
      }
      this.#put(path);
      log.notice("store-path-added", { path: index, directory });
      this.#parts.onAdded(index, known !== undefined && known !== path.client.identity?.id);
      this.#parts.onOpen(path);
      this.#learnNeighbours();
      this.#parts.onChange();
    } finally {
      this.#adding.delete(index);
      this.absences.end(index);
    }
  }

  /**
   * Ends serving a path while the others go on; its index stays. Nothing holds the disk any more when this resolves. Rejects with
   * `store-path-busy` where the disk does not let its worker end: the path is offline all the same.
   */
  async take(index: number, why: string): Promise<void> {
    const path = this.#paths[index];
    this.absences.end(index);
    if (path === undefined || !path.hasDisk) return;
    this.#goes(path, why);
    await this.#end(path.client, why);
  }

  /** As `take`, of a path that is soon added again: whoever asks for its files meanwhile waits for that. */
  async takeBriefly(index: number, why: string): Promise<void> {
    const path = this.#paths[index];
    if (path === undefined || !path.hasDisk) return;
    const { client } = path;
    const isGone = (): boolean => this.#paths[index] !== path;
    await this.#until(() => client.blocks.payloads === 0 || isGone(), quietLimitMs);
    if (isGone()) return;
    this.absences.begin(index);
    try {
      this.#goes(path, why, "briefly");
      await this.#until(() => client.blocks.payloads === 0, payloadLimitMs);
      await this.#end(client, why);
    } catch (error) {
      this.absences.end(index);
      throw error;
    }
  }

  async #until(isSo: () => boolean, limitMs: number): Promise<void> {
    const { clock } = this.#parts;
    const endsMs = clock.monotonicMs() + limitMs;
    while (!isSo() && clock.monotonicMs() < endsMs && !this.#closing) {
      await delay(clock, payloadLookMs);
    }
  }

  #goes(path: ServedPath, why: string, forHowLong?: "briefly"): void {
    const { log, onChange } = this.#parts;
    const { directory } = path.client.settings;
    this.#setAside(path, why, forHowLong === "briefly" ? path.report : undefined);
    log.notice("store-path-taken", { path: path.index, directory, why });
    this.#learnNeighbours();
    onChange();
  }

  async #end(client: StorePathClient, why: string): Promise<void> {
    const { log, clock } = this.#parts;
    const { index } = client.settings;
    const ended = new AbortController();
    const limit = delay(clock, takeLimitMs, ended.signal).then(
      () => false,
      () => false,
    );
    const taken = client.take(why).then((failure) => {
      if (failure !== undefined) {
        log.warn("store-path-not-closed", { path: index, why: describeError(failure) });
      }
      return true;
    });
    try {
      if (await Promise.race([taken, limit])) return;
    } finally {
      ended.abort();
    }
    throw fileStoreError(
      "store-path-busy",
      `the disk of store path ${index} does not answer, and its thread cannot end before: pull the disk, or restart the node`,
    );
  }

  /** What is offline is not tried any more. */
  #giveUp(index: number): void {
    const path = this.#paths[index];
    if (path?.hasDisk === true) this.#setAside(path, path.report.problem ?? noDiskYet);
  }

  /** `report`: of a path that is soon back. */
  #setAside(path: ServedPath, why: string, report?: StorePathReport): void {
    const { settings, identity } = path.client;
    if (identity !== undefined) this.#lastId.set(path.index, identity.id);
    path.onChange = () => {};
    path.onOpen = () => {};
    const absent = this.#absent(settings, why);
    absent.before = report;
    this.#put(absent);
  }

  #requireFree(index: number): void {
    const there = this.#paths[index];
    const isServed = there?.hasDisk === true && there.report.state !== "offline";
    if (isServed || this.#adding.has(index)) {
      const where = there?.client.settings.directory ?? "another disk";
      throw busy(`store path ${index} is served already, from ${where}`);
    }
    if (index >= maxStorePaths) throw busy(`there are ${maxStorePaths} store paths at most`);
  }

  #absent(settings: StorePathSettings, why: string): ServedPath {
    const { log, names } = this.#parts;
    return ServedPath.absent(new StorePathClient(settings, log, names), this.#parts, why);
  }

  #learnNeighbours(): void {
    for (const each of this.#paths) each.learnNeighbours(this.#paths);
  }

  /**
   * Starts every store path. A path that cannot be served stays offline and is reported; only when none can be is that
   * an error, since then there is nothing to serve. One that takes long is not waited for: it joins when its disk answers.
   */
  async start(): Promise<void> {
    const failures: unknown[] = [];
    const withDisk = this.#paths.filter(({ hasDisk }) => hasDisk);
    const opened = withDisk.map((path) =>
      this.#open(path).catch((error: unknown) => {
        failures.push(error);
      }),
    );
    await this.#untilServing(opened);
    const { clock, startsUnserved = false } = this.#parts;
    const [first] = failures;
    if (first !== undefined && failures.length === withDisk.length && !startsUnserved) {
      throw first;
    }
    this.#timers = [
      clock.every(spacePeriodMs, () => this.#measureAll()),
      clock.every(lookPeriodMs, () => {
        for (const path of this.#paths) path.look();
      }),
    ];
  }

  async #open(path: ServedPath): Promise<void> {
    try {
      await path.open();
      this.#learnNeighbours();
    } catch (error) {
      const { index, directory } = path.client.settings;
      const why = describeError(error);
      this.#parts.log.error("store-path-unusable", { path: index, directory, why });
      throw error;
    }
  }

  /** Until each path has been opened or has failed, or a while has passed. */
  async #untilServing(opened: readonly Promise<void>[]): Promise<void> {
    const { clock, log } = this.#parts;
    const ended = new AbortController();
    const limit = delay(clock, openLimitMs, ended.signal).catch(() => undefined);
    await Promise.race([Promise.all(opened), limit]);
    ended.abort();
    for (const { client } of this.#paths) {
      if (client.state !== "opening") continue;
      const { index, directory } = client.settings;
      log.warn("store-path-opens-slowly", { path: index, directory });
    }
  }

  /** Waits for every worker, however long its disk takes: limits are the caller's. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(
      this.#paths.map(async ({ client }) => {
        try {
          await client.close();
        } catch (error) {
          const path = client.settings.index;
          this.#parts.log.error("store-path-not-closed", { path, why: describeError(error) });
        }
      }),
    );
  }

  #measureAll(): void {
    for (const path of this.#paths) {
      if (!path.isOnline) continue;
      path.measure().then(
        () => path.learnNeighbours(this.#paths),
        (error: unknown) => {
          this.#parts.log.debug("space-unknown", { why: describeError(error) });
        },
      );
    }
  }
}

function busy(message: string): AppError<FileStoreErrorCode> {
  return fileStoreError("store-path-busy", message);
}
