/**
 * One store path as the file store sees it: its worker, its space, and how far it can be trusted. Owns the state of
 * `path-machine.ts`: looks at the disk now and then, performs what the machine says, and says in the log what has changed.
 * Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import {
  initialPathState,
  type PathEffect,
  type PathInput,
  type PathState,
  transition,
} from "#filestore/path-machine.ts";
import type { PathSpace } from "#filestore/path-selector.ts";
import { PathWatch } from "#filestore/path-watch.ts";
import { announcePath, describePath, reportedState } from "#filestore/path-words.ts";
import { ReadFailures } from "#filestore/read-failures.ts";
import { type LatencySummary, RequestWatch } from "#filestore/request-watch.ts";
import { ResidentReads } from "#filestore/resident-reads.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { type TrunkFacts, trunkFactsFrom } from "#filestore/trunk/trunk-facts.ts";
import { request } from "#filestore/worker-messages.ts";
import { WriteRefusals } from "#filestore/write-refusals.ts";
import type { Clock } from "#platform/clock.ts";
import type { ResidentFiles } from "#platform/resident-files.ts";
import type { Workers } from "#platform/workers.ts";

export interface ServedPathParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly workers: Workers;
  /** How long its disk may stand still before it is quarantined. */
  readonly diskTimeoutMs: number;
  /** Left out: everything is asked of the worker. */
  readonly resident?: ResidentFiles | undefined;
  /** Why a path is to take no new files; undefined where it may. */
  readonly closed?: (index: number) => string | undefined;
}

/** Up to which request everything was sent by then. */
interface Mark {
  readonly atMs: number;
  readonly lastId: number;
}

/** A slow disk is not made slower by our questions: between two of them it has so many times what the last one took. */
const probePause = 3;
const maxProbePauseMs = 5000;

const failsOften =
  "its disk fails to give what it was given, so new files go to other paths where there are any: look at its health";

/** What may pass by itself, so that another worker is worth a try. */
const passing: readonly string[] = ["disk-failed", "store-full", "store-path-offline"];

export class ServedPath {
  readonly client: StorePathClient;
  readonly #resident: ResidentReads | undefined;
  readonly #parts: ServedPathParts;
  readonly #refusals: WriteRefusals;
  readonly #watch: PathWatch;
  readonly #failures = new ReadFailures();
  /** Files that scrubs found the disk not to give, as they tell it. */
  #unreadable = 0;
  #state: PathState = initialPathState;
  /** One a look, the oldest first; no more than the first of them is older than the deadline. */
  readonly #marks: Mark[] = [];
  #totalBytes = 0;
  #freeBytes = 0;
  #device = Number.NaN;
  #trunkFiles: TrunkFacts | undefined;
  /** Since when its free space is being asked for; undefined while it is not. */
  #askedMs: number | undefined;
  #askAgainMs = Number.NEGATIVE_INFINITY;
  /** How long the last answer took, until it was looked at. */
  #probeMs: number | undefined;
  #quarantines = 0;
  /** How many paths of this node lie on the same file system, this one included. */
  #sharers = 1;
  /** Of a path that is away for a moment: what was reported of it before. */
  before: StorePathReport | undefined;
  /** It serves more or less than before. */
  onChange: () => void = () => {};
  /** A worker has just opened it: the first one or another. */
  onOpen: () => void = () => {};

  constructor(client: StorePathClient, parts: ServedPathParts) {
    this.client = client;
    this.#parts = parts;
    this.#resident = parts.resident && new ResidentReads(client, parts.resident);
    this.#refusals = new WriteRefusals(client.settings, parts);
    this.#watch = new PathWatch(() => client.progress, parts.clock);
    client.watch = new RequestWatch(parts.clock);
    client.onStateChange = () => this.#workerChanged();
    client.onFlushFailed = (problem) => {
      this.#feed({ name: "flush-failed", nowMs: this.#nowMs, problem });
    };
  }

  /** A path without a disk, and why; for good: another one takes its place. */
  static absent(client: StorePathClient, parts: ServedPathParts, problem: string): ServedPath {
    client.stayOffline(problem);
    const path = new ServedPath(client, parts);
    path.#state = { name: "absent", restarts: 0, problem };
    return path;
  }

  /** There is a disk, or there was one until something happened to it. */
  get hasDisk(): boolean {
    return this.#state.name !== "absent";
  }

  get index(): number {
    return this.client.settings.index;
  }

  /** Its worker runs; see `isServing` for more. */
  get isOnline(): boolean {
    return this.client.state === "online";
  }

  /** Reads and changes are served. */
  get isServing(): boolean {
    return this.isOnline && (this.#state.name === "good" || this.#state.name === "slow");
  }

  /** What needs no disk may be read without the worker: while nothing is the matter, and no file is in doubt. */
  get resident(): ResidentReads | undefined {
    const isSound = this.#state.name === "good" && this.client.recheck === undefined;
    return isSound && this.isOnline ? this.#resident : undefined;
  }

  /** New files may be placed here, as far as settings and disk go. */
  get isWritable(): boolean {
    return this.isServing && !this.client.settings.readOnly && this.#closed === undefined;
  }

  get #closed(): string | undefined {
    return this.#parts.closed?.(this.index);
  }

  /** It is slow, refused a write a moment ago, or fails often: others come first. */
  get isAvoided(): boolean {
    return this.#refusals.refused || this.#state.name !== "good" || this.#failsOften;
  }

  get #failsOften(): boolean {
    return this.#failures.isMany(this.#nowMs);
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

  /** The kernel's number of its file system; undefined while it is not served. */
  get device(): number | undefined {
    return this.isOnline && !Number.isNaN(this.#device) ? this.#device : undefined;
  }

  /** Paths on one file system report an equal part of it each, so that sums are right. */
  get report(): StorePathReport {
    const { settings, state, problem } = this.client;
    const closed = this.#closed;
    return {
      index: settings.index,
      directory: settings.directory,
      state: state === "offline" ? "offline" : reportedState(this.#state),
      problem:
        describePath(this.#state) ??
        problem ??
        this.#refusals.inWords ??
        (this.#failsOften ? failsOften : undefined),
      readOnly: settings.readOnly,
      totalBytes: Math.floor(this.#totalBytes / this.#sharers),
      freeBytes: Math.floor(this.#freeBytes / this.#sharers),
      trunkFiles: this.#trunkFiles,
      quarantines: this.#quarantines,
      abandoned: this.client.abandonedCount,
      failedRequests: this.client.watch.diskFailures,
      recheck: this.client.recheck,
      ...(this.hasDisk ? {} : { isAbsent: true as const }),
      ...(this.before === undefined ? {} : roomBefore(this.before)),
      ...(closed === undefined ? {} : { takesNoFiles: closed }),
    };
  }

  /** How long its clients' requests take; undefined while too little is known. */
  get latency(): LatencySummary | undefined {
    return this.client.watch.summary;
  }

  /** Why nothing is done here just now. */
  get refusal(): AppError<FileStoreErrorCode> {
    const message = `${this.#inWords}; nothing was done`;
    const state = this.#state;
    const readOnly = state.name === "quarantined" && state.cause === "read-only";
    if (!readOnly) return fileStoreError("store-path-unready", message);
    return fileStoreError("disk-failed", message, { details: { errno: "EROFS" } });
  }

  /** Starts the worker. Rejects when it cannot serve the path; it is tried again later where that may help. */
  async open(): Promise<void> {
    await this.#opened(this.client.start(this.#parts.workers));
  }

  async #opened(opening: Promise<void>): Promise<void> {
    try {
      await opening;
    } catch (error) {
      const mayPass = error instanceof AppError && passing.includes(error.code);
      this.#feed({ name: "ended", nowMs: this.#nowMs, problem: describeError(error), mayPass });
      throw error;
    }
    this.#feed({ name: "opened", nowMs: this.#nowMs, readOnly: this.client.readOnly });
    this.onOpen();
    await this.measure();
  }

  /** To be called every `lookPeriodMs`. */
  look(): void {
    const nowMs = this.#nowMs;
    const stillMs = this.#watch.look(this.client.isBusy);
    const probeMs = this.#watch.wasLate ? undefined : this.#probeMs;
    this.#probeMs = undefined;
    this.#mark(nowMs);
    if (this.#state.name === "good") this.client.expireNothing();
    this.#countFailures(nowMs);
    this.#feed({ name: "looked", nowMs, stillMs, probeMs });
  }

  /** What a scrub counted of the files that the disk does not give. */
  foundUnreadable(files: number): void {
    this.#unreadable = files;
  }

  #countFailures(nowMs: number): void {
    const total = this.client.watch.diskFailures + this.#unreadable;
    if (!this.#failures.look(total, nowMs)) return;
    const { index: path, directory } = this.client.settings;
    this.#parts.log.warn("store-path-fails-often", { path, directory, why: failsOften });
  }

  /** Asks the worker how much room there is, unless it still owes the last answer, or took long for that a moment ago. */
  async measure(): Promise<void> {
    const askedMs = this.#nowMs;
    if (this.#askedMs !== undefined || askedMs < this.#askAgainMs) return;
    this.#askedMs = askedMs;
    try {
      const space = await this.client.probe({ kind: request.space });
      this.#totalBytes = space.a;
      this.#freeBytes = space.b;
      this.#refusals.measured(space.b, space.a);
      this.#device = space.c;
      this.#resident?.liesOn(space.c);
      this.#trunkFiles = trunkFactsFrom(space.text);
    } finally {
      const tookMs = this.#nowMs - askedMs;
      this.#probeMs = tookMs;
      const pauseMs = this.#state.name === "good" ? 0 : tookMs * probePause;
      this.#askAgainMs = this.#nowMs + Math.min(maxProbePauseMs, pauseMs);
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
    this.#refusals.stored();
  }

  /** A write failed. What is the request's own fault changes nothing. */
  failed(error: unknown): void {
    this.#refusals.failed(error);
  }

  /** Not even an empty file may be placed here: the reserve is reached. */
  reachedReserve(error: AppError): void {
    this.#refusals.reachedReserve(error, this.#freeBytes);
  }

  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  get #inWords(): string {
    const { index, directory } = this.client.settings;
    const { state, problem } = this.report;
    return `store path ${index} (${directory}) is ${state}: ${problem ?? "wait a moment"}`;
  }

  #workerChanged(): void {
    const { state, problem } = this.client;
    // How an opening ends is told by its promise.
    if (state === "offline" && this.#state.name !== "opening" && !this.client.isClosing) {
      const ended = { name: "ended", nowMs: this.#nowMs, mayPass: true } as const;
      this.#feed({ ...ended, problem: problem ?? "its worker ended" });
    } else {
      this.onChange();
    }
  }

  #feed(input: PathInput): void {
    const before = this.#state;
    const { state, effects } = transition(before, input, this.#parts.diskTimeoutMs);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (before === state || !announcePath(this.#parts.log, this.client.settings, { before, state }))
      return;
    if (state.name === "quarantined" && before.name !== "checking") this.#quarantines += 1;
    this.onChange();
  }

  #perform(effect: PathEffect): void {
    switch (effect) {
      case "abandon":
        this.client.admit("none", { refusal: this.refusal, pending: this.#unanswered });
        return;
      case "admit-reads":
        this.client.admit("reads", { refusal: this.refusal, pending: this.#unanswered });
        return;
      case "admit":
        this.client.admit("all", undefined);
        return;
      case "expire":
        this.#expire();
        return;
      case "check":
        void this.#check();
        return;
      case "restart":
        void this.#restart();
    }
  }

  get #unanswered(): AppError<FileStoreErrorCode> {
    const message = `${this.#inWords}; nobody knows whether this was done`;
    return fileStoreError("store-path-offline", message);
  }

  #mark(nowMs: number): void {
    const marks = this.#marks;
    marks.push({ atMs: nowMs, lastId: this.client.lastId });
    const oldMs = nowMs - this.#parts.diskTimeoutMs;
    for (let next = marks[1]; next !== undefined && next.atMs <= oldMs; next = marks[1]) {
      marks.shift();
    }
  }

  /** What is older than the deadline is answered with an error. */
  #expire(): void {
    const [oldest] = this.#marks;
    if (oldest === undefined || oldest.atMs > this.#nowMs - this.#parts.diskTimeoutMs) return;
    this.client.expireUpTo(oldest.lastId, this.#unanswered);
  }

  async #check(): Promise<void> {
    let problem: string | undefined;
    try {
      await this.client.probe({ kind: request.check });
    } catch (error) {
      problem = describeError(error);
    }
    this.#feed({ name: "checked", nowMs: this.#nowMs, problem });
  }

  async #restart(): Promise<void> {
    try {
      await this.#opened(this.client.restart(this.#parts.workers));
    } catch (error) {
      const { index: path, directory } = this.client.settings;
      this.#parts.log.error("store-path-unusable", { path, directory, why: describeError(error) });
    }
  }
}

function roomBefore({ totalBytes, freeBytes }: StorePathReport) {
  return { totalBytes, freeBytes, isBrief: true as const };
}
