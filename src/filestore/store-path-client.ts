/**
 * The main thread's end of one store-path worker: sends requests over the ring, matches completions, owns the blocks, and
 * knows whether the path is served. A worker that ends takes its path offline; nothing else is touched, and another one may be
 * started in its place. Requests can be given up before the worker answered them: their promises reject at once, the worker skips
 * what it has not begun, and their blocks stay out of use until it is done with them. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { BlockPool } from "#filestore/block-pool.ts";
import { DirectClaims } from "#filestore/direct-claims.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import { GivenUpRequests } from "#filestore/given-up-requests.ts";
import { IdTable } from "#filestore/id-table.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import { RequestQueue } from "#filestore/request-queue.ts";
import { RequestWatch } from "#filestore/request-watch.ts";
import { RingReader, type RingRecord, RingWriter } from "#filestore/ring.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { failureFrom, isOwner, recordOf } from "#filestore/store-path-request.ts";
import { makeThreadMemory, type ThreadMemory } from "#filestore/thread-memory.ts";
import { TurnBatch } from "#filestore/turn-batch.ts";
import { isUpTo } from "#filestore/worker/path-condition.ts";
import {
  completion,
  isOwed,
  isReading,
  isTold,
  maySkip,
  recordsOwnChange,
  request,
  type StorePathPost,
  type StorePathThreadData,
} from "#filestore/worker-messages.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";
import type { Workers } from "#platform/workers.ts";

/** The fields of a request; what is left out is zero or empty. */
export interface RequestFields {
  readonly kind: number;
  readonly flags?: number;
  readonly block?: number;
  readonly blockLength?: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly text?: string;
  readonly text2?: string;
  /** A socket that the worker may write to until it answers. It needs a block. */
  readonly lease?: SocketLease | undefined;
}

interface Waiting {
  readonly lease: SocketLease | undefined;
  readonly resolve: (record: RingRecord) => void;
  readonly reject: (error: Error) => void;
  readonly record: RingRecord;
}

export type StorePathState = "opening" | "online" | "offline";

/** Which requests the worker is sent: everything, only what reads, or nothing but what sets others free. */
export type Admission = "all" | "reads" | "none";

export interface Answers {
  /** To requests from now on. */
  readonly refusal: AppError<FileStoreErrorCode>;
  /** To those that the worker has already. */
  readonly pending: AppError<FileStoreErrorCode>;
}

export class StorePathClient {
  readonly settings: StorePathSettings;
  readonly blocks = new BlockPool();
  readonly #queue: RequestQueue;
  #completions: RingReader;
  #memory: ThreadMemory;
  readonly #log: Log;
  readonly #waiting = new IdTable<Waiting>();
  readonly #givenUp = new GivenUpRequests(this.blocks);
  readonly #claims = new DirectClaims(this.blocks.memory);
  #nextId = 1;
  #nextUpload = 1;
  #state: StorePathState = "opening";
  #problem: string | undefined;
  #closing = false;
  /** There is no disk, or not any more, while the node goes on: why. */
  #absence: string | undefined;
  #ended = false;
  #opened: Promise<void> | undefined;
  /** Resolves when the present worker's thread has ended. */
  #exited: Promise<void> = Promise.resolve();
  #readOnly: string | undefined;
  identity: Extract<StorePathPost, { post: "opened" }>["identity"];
  /** How far its worker is with looking at files again; undefined where none is in doubt. */
  recheck: RecheckFacts | undefined;
  #admission: Admission = "all";
  #refusal: AppError<FileStoreErrorCode> | undefined;
  /** See `StorePathThreadData.names`. */
  readonly #names: SharedArrayBuffer | undefined;
  /** Completions since the start. */
  #answered = 0;
  watch = new RequestWatch();
  /** Of the present worker. */
  #turns: TurnBatch | undefined;
  onStateChange: () => void = () => {};
  /** A flush failed: the worker refuses changes until it was asked to `check`. */
  onFlushFailed: (problem: string) => void = () => {};
  /** The worker wants so many numbers for new trunk files: answer with a `trunkLease` when there are some. */
  onTrunkLeaseWanted: (count: number) => void = () => {};
  /** Changes were answered that were made here first, and that the binlog tells of. */
  onBinlogGrowth: () => void = () => {};

  constructor(settings: StorePathSettings, log: Log, names?: SharedArrayBuffer) {
    this.settings = settings;
    this.#names = names;
    this.#log = log.for(`store-path-${settings.index}`);
    this.#memory = makeThreadMemory();
    const ring = new RingWriter(this.#memory.requests);
    this.#queue = new RequestQueue(ring, ({ id, kind }) => this.watch.sent(id, kind));
    this.#completions = new RingReader(this.#memory.completions);
  }

  /** How far the present worker has got: an answer is progress as well as a file call. */
  get progress(): { readonly calls: number; readonly flushing: number; readonly flushed: number } {
    const { calls, flushing, flushed } = this.#memory.pulse;
    return { calls: calls + this.#answered, flushing, flushed };
  }

  /** Why the worker can only read; undefined where it can write as well, and while there is none. */
  get readOnly(): string | undefined {
    return this.#readOnly;
  }

  /** Requests that were given up since the start. */
  get abandonedCount(): number {
    return this.#givenUp.count;
  }

  get state(): StorePathState {
    return this.#state;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /** Starts the worker; resolves when the path is served, rejects with the reason when it cannot be. */
  start(workers: Workers): Promise<void> {
    this.#opened ??= new Promise<void>((resolve, reject) => {
      const ring = new RingWriter(this.#memory.requests, workers.waits);
      this.#queue.restart(ring);
      this.#completions = new RingReader(this.#memory.completions, workers.waits);
      this.#turns = new TurnBatch({
        requests: ring,
        completions: this.#completions,
        afterTurn: workers.afterTurn,
        drain: () => {
          const before = this.#answered;
          this.#drain();
          return this.#answered - before;
        },
        inFlight: () => this.#queue.inFlight,
      });
      const { requests, completions, pulseMemory } = this.#memory;
      const data: StorePathThreadData = {
        settings: this.settings,
        requests,
        completions,
        blocks: this.blocks.memory,
        pulse: pulseMemory,
        ...(this.#names === undefined ? {} : { names: this.#names }),
      };
      const thread = workers.start("store-path-worker", data);
      thread.onMessage = (message) => this.#posted(message as StorePathPost, { resolve, reject });
      this.#exited = new Promise<void>((exited) => {
        thread.onExit = (error) => {
          this.#threadEnded(error);
          reject(
            fileStoreError("store-path-offline", this.#problem ?? "the store path was closed"),
          );
          exited();
        };
      });
      this.#completions.watch(() => this.#drain());
    });
    return this.#opened;
  }

  #posted(post: StorePathPost, opening: Opening): void {
    switch (post.post) {
      case "log":
        this.#log[post.record.level](post.record.event, post.record.data);
        return;
      case "opened":
        this.#readOnly = post.readOnly;
        this.identity = post.identity;
        this.#setState("online", undefined);
        if (post.rolledForward + post.swept > 0) {
          const { rolledForward: completed, swept: dropped } = post;
          this.#log.notice("interrupted-work-settled", { completed, dropped });
        }
        opening.resolve();
        return;
      case "recheck":
        this.recheck = post.facts;
        return;
      case "flush-failed":
        this.onFlushFailed(post.message);
        return;
      case "trunk-lease-wanted":
        this.onTrunkLeaseWanted(post.count);
        return;
      case "unfit":
        this.#setState("offline", post.message);
        opening.reject(new AppError(post.code, post.message));
    }
  }

  /**
   * Another worker in place of the one that has ended, or that is ended by this: after an orderly end of what it has. As
   * `start`.
   */
  async restart(workers: Workers): Promise<void> {
    if (!this.#ended && this.#state === "online") {
      await this.#send({ kind: request.close });
      this.#ended = true;
      this.#setState("opening", undefined);
      this.#rejectAll(this.#refused());
    }
    await this.#exited;
    if (this.#closing) throw this.#refused();
    this.#ended = false;
    this.#readOnly = undefined;
    this.recheck = undefined;
    this.#memory = makeThreadMemory();
    this.watch.forget();
    this.#setState("opening", undefined);
    this.#opened = undefined;
    await this.start(workers);
  }

  /** Requests without a completion that somebody waits for. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** The worker owes answers, whether somebody waits for them or not. */
  get isBusy(): boolean {
    return this.#waiting.size + this.#givenUp.size > 0;
  }

  /** A number for a new upload. */
  newUpload(): number {
    return this.#nextUpload++;
  }

  /** Sends a request; the promise ends with its completion. Rejects with `AppError<FileStoreErrorCode>`. */
  send(fields: RequestFields): Promise<RingRecord> {
    return new Promise((done, failed) => this.ask(fields, done, failed));
  }

  /** As `send`, for what every exchange comes through: one of both is called, once, possibly before this returns. */
  ask(
    fields: RequestFields,
    done: (answer: RingRecord) => void,
    failed: (error: Error) => void,
  ): void {
    if (this.#state !== "online" || this.#closing) {
      fields.lease?.giveBack();
      failed(this.#refused());
    } else if (this.#admission !== "all" && !this.#admits(fields.kind)) {
      // What sets the worker's things free reaches it all the same, and nobody waits for it.
      if (isOwed(fields.kind)) this.#sendUnheard(fields);
      fields.lease?.giveBack();
      failed(this.#refused());
    } else {
      this.#ask(fields, done, failed);
    }
  }

  /** As `send`, whatever is admitted, and never given up: for the questions of the path's owner about the disk. */
  probe(fields: RequestFields): Promise<RingRecord> {
    if (this.#state !== "online" || this.#closing) return Promise.reject(this.#refused());
    return this.#send(fields);
  }

  #admits(kind: number): boolean {
    if (isTold(kind)) return true;
    return this.#admission === "reads" && (isReading(kind) || isOwed(kind));
  }

  /** What is sent from now on. What is not admitted is answered with `refusal`, and what waits already with `pending`. */
  admit(admission: Admission, answers: Answers | undefined): void {
    this.#admission = admission;
    this.#refusal = answers?.refusal;
    this.blocks.refuse(admission === "none" ? answers?.refusal : undefined);
    if (answers !== undefined) {
      this.#giveUp(({ kind }) => isOwner(kind) || this.#admits(kind), answers.pending);
      if (admission === "none") this.#memory.pulse.abandonUpTo(this.lastId);
    }
    if (admission === "all") this.#removeOrphans();
  }

  /** The last request so far. */
  get lastId(): number {
    return (this.#nextId - 1) & 0x7fffffff;
  }

  /** Gives up what was sent up to request `id`. */
  expireUpTo(id: number, error: AppError<FileStoreErrorCode>): void {
    this.#giveUp((record) => !isUpTo(record.id, id) || !maySkip(record.kind), error);
    this.#memory.pulse.abandonUpTo(id);
  }

  /** To be called now and then while nothing is given up: request numbers begin anew some day. */
  expireNothing(): void {
    if (this.#givenUp.size > 0) return;
    const oldest = this.#inOrder()[0]?.record.id ?? this.#nextId;
    this.#memory.pulse.abandonUpTo((oldest - 1) & 0x7fffffff);
  }

  #giveUp(keeps: (record: RingRecord) => boolean, error: Error): void {
    const unsent = this.#queue.unsent();
    const dropped = new Set<number>();
    for (const { record, reject, lease } of this.#inOrder()) {
      if (keeps(record)) continue;
      const { id } = record;
      this.#waiting.take(id);
      const isDropped = unsent.has(id) && !isOwed(record.kind);
      if (isDropped) dropped.add(id);
      this.#givenUp.add(record, !isDropped, lease && this.#claims.giveUp(lease, record.block));
      reject(error);
    }
    this.#queue.drop(dropped);
  }

  /** Whoever waits, in the order of asking. */
  #inOrder(): readonly Waiting[] {
    const waiting = this.#waiting.entries().map(([, value]) => value);
    return waiting.sort((one, other) => (isUpTo(one.record.id, other.record.id) ? -1 : 1));
  }

  #sendUnheard(fields: RequestFields): void {
    const record = this.#record(fields);
    this.#givenUp.addUnheard(record);
    this.#enqueue(record);
  }

  /** A request that had been given up was answered after all. */
  #answeredLate(answer: RingRecord): void {
    const free = this.#givenUp.answered(answer);
    if (free !== undefined) this.#sendUnheard(free);
    if (this.#admission === "all") this.#removeOrphans();
  }

  #removeOrphans(): void {
    for (const text of this.#givenUp.takeOrphans()) {
      this.#log.info("unacknowledged-file-removed", { name: text });
      if (this.#state === "online" && !this.#closing) {
        this.#sendUnheard({ kind: request.remove, text });
      }
    }
  }

  #send(fields: RequestFields): Promise<RingRecord> {
    return new Promise((done, failed) => this.#ask(fields, done, failed));
  }

  #ask(
    fields: RequestFields,
    resolve: (answer: RingRecord) => void,
    reject: (error: Error) => void,
  ): void {
    const record = this.#record(fields);
    const { lease } = fields;
    if (lease !== undefined) this.#claims.lend(record.block);
    this.#waiting.add(record.id, { resolve, reject, record, lease });
    this.#enqueue(record);
  }

  #record(fields: RequestFields): RingRecord {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0x7fffffff;
    return recordOf(id, fields);
  }

  #enqueue(record: RingRecord): void {
    if (this.#queue.add(record)) this.#turns?.pushed();
  }

  #refused(): AppError<FileStoreErrorCode> {
    if (this.#closing && this.#absence === undefined)
      return fileStoreError("store-closing", "the node is stopping");
    if (this.#state === "online" && this.#refusal !== undefined) return this.#refusal;
    const { index, directory } = this.settings;
    const why = this.#problem ?? "not ready";
    const message = `store path ${index} (${directory}) is ${this.#state}: ${why}`;
    // Nothing was done where there is no disk, and there may be one soon.
    const isUnready = this.#state === "opening" || this.#absence !== undefined;
    const code = isUnready ? "store-path-unready" : "store-path-offline";
    return fileStoreError(code, message);
  }

  /** Instead of `start`: there is no disk to be served, for that reason. */
  stayOffline(why: string): void {
    this.#absence = why;
    this.#setState("offline", why);
  }

  /**
   * As `close`, while the node goes on: whoever asks from now on is told why. Resolves when the thread has ended and holds nothing of the
   * disk any more, to what its last flushes failed with: a disk that was pulled takes none.
   */
  async take(why: string): Promise<unknown> {
    this.#absence = why;
    const failure: unknown = await this.close().catch((error: unknown) => error);
    await this.#exited;
    return failure;
  }

  /**
   * Lets the worker finish what it has, then ends it. Uploads and reads whose payload is still on its way are given up with
   * `store-closing`: those who serve clients stop before the store does.
   */
  async close(): Promise<void> {
    if (this.#state === "opening") await this.#opened?.catch(() => undefined);
    if (this.#state !== "online" || this.#closing) return;
    this.#closing = true;
    try {
      await this.#send({ kind: request.close });
    } finally {
      this.#ended = true;
      if (this.#state === "online") {
        this.#setState("offline", this.#absence ?? "the node is stopping");
      }
      this.#rejectAll(this.#refused());
    }
  }

  #drain(): boolean {
    let recorded = false;
    for (;;) {
      const record = this.#completions.take();
      if (record === undefined) break;
      this.#queue.answered();
      this.#answered += 1;
      this.watch.answered(record.id);
      const waiting = this.#waiting.take(record.id);
      if (waiting === undefined) {
        this.#answeredLate(record);
        recorded = true;
        continue;
      }
      waiting.lease?.giveBack();
      recorded ||= recordsOwnChange(waiting.record);
      if (record.kind === completion.done) waiting.resolve(record);
      else waiting.reject(this.watch.failed(failureFrom(record)));
    }
    if (recorded) this.onBinlogGrowth();
    this.#queue.advance();
    return !this.#ended;
  }

  #threadEnded(error: Error | undefined): void {
    if (this.#ended) return;
    // What it had finished counts.
    this.#drain();
    this.#ended = true;
    if (this.#state !== "offline") {
      const problem =
        error === undefined ? "its worker ended" : `its worker failed: ${error.message}`;
      this.#log.error("store-path-lost", { problem });
      this.#setState("offline", problem);
    }
    this.#rejectAll(this.#refused());
  }

  #rejectAll(error: Error): void {
    const left = this.#inOrder();
    for (const { record } of left) this.#waiting.take(record.id);
    this.#queue.dropAll();
    for (const { lease, record, reject } of left) {
      if (lease !== undefined) this.#claims.giveUp(lease, record.block)?.giveBack();
      reject(error);
    }
    this.#givenUp.forgetAll();
  }

  #setState(state: StorePathState, problem: string | undefined): void {
    this.#state = state;
    this.#problem = problem;
    this.onStateChange();
  }
}

type Opening = Pick<PromiseWithResolvers<void>, "resolve" | "reject">;
