/**
 * The main thread's end of one store-path worker: sends requests over the ring, matches completions, owns the blocks, and
 * knows whether the path is served. A worker that ends takes its path offline; nothing else is touched, and another one may be
 * started in its place. Requests can be given up before the worker answered them: their promises reject at once, the worker skips
 * what it has not begun, and their blocks stay out of use until it is done with them. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { BlockPool } from "#filestore/block-pool.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import { GivenUpRequests } from "#filestore/given-up-requests.ts";
import { IdTable } from "#filestore/id-table.ts";
import { RingReader, type RingRecord, RingWriter, ringSlots } from "#filestore/ring.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { makeThreadMemory, type ThreadMemory } from "#filestore/thread-memory.ts";
import { TurnBatch } from "#filestore/turn-batch.ts";
import { isUpTo } from "#filestore/worker/path-condition.ts";
import {
  completion,
  isOwed,
  isReading,
  isTold,
  maySkip,
  request,
  type StorePathPost,
  type StorePathThreadData,
} from "#filestore/worker-messages.ts";
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
}

interface Waiting {
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
  #requests: RingWriter;
  #completions: RingReader;
  #memory: ThreadMemory;
  readonly #log: Log;
  readonly #waiting = new IdTable<Waiting>();
  readonly #givenUp = new GivenUpRequests(this.blocks);
  /** Requests that found the ring full, in order. */
  readonly #backlog: RingRecord[] = [];
  #nextId = 1;
  #nextUpload = 1;
  #state: StorePathState = "opening";
  #problem: string | undefined;
  /** Requests that the worker has, or will find in the ring. */
  #inFlight = 0;
  #closing = false;
  #ended = false;
  #opened: Promise<void> | undefined;
  /** Resolves when the present worker's thread has ended. */
  #exited: Promise<void> = Promise.resolve();
  #readOnly: string | undefined;
  #admission: Admission = "all";
  #refusal: AppError<FileStoreErrorCode> | undefined;
  /** Completions since the start. */
  #answered = 0;
  /** Of the present worker. */
  #turns: TurnBatch | undefined;
  onStateChange: () => void = () => {};
  /** A flush failed: the worker refuses changes until it was asked to `check`. */
  onFlushFailed: (problem: string) => void = () => {};
  /** The worker wants so many numbers for new trunk files: answer with a `trunkLease` when there are some. */
  onTrunkLeaseWanted: (count: number) => void = () => {};

  constructor(settings: StorePathSettings, log: Log) {
    this.settings = settings;
    this.#log = log.for(`store-path-${settings.index}`);
    this.#memory = makeThreadMemory();
    this.#requests = new RingWriter(this.#memory.requests);
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
      this.#turns = new TurnBatch({
        requests: this.#requests,
        completions: this.#completions,
        afterTurn: workers.afterTurn,
        drain: () => {
          const before = this.#answered;
          this.#drain();
          return this.#answered - before;
        },
        inFlight: () => this.#inFlight,
      });
      const { requests, completions, pulseMemory } = this.#memory;
      const data: StorePathThreadData = {
        settings: this.settings,
        requests,
        completions,
        blocks: this.blocks.memory,
        pulse: pulseMemory,
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
        this.#setState("online", undefined);
        if (post.rolledForward + post.swept > 0) {
          const { rolledForward: completed, swept: dropped } = post;
          this.#log.notice("interrupted-work-settled", { completed, dropped });
        }
        opening.resolve();
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
    this.#inFlight = 0;
    this.#readOnly = undefined;
    this.#memory = makeThreadMemory();
    this.#requests = new RingWriter(this.#memory.requests);
    this.#completions = new RingReader(this.#memory.completions);
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
      failed(this.#refused());
    } else if (this.#admission !== "all" && !this.#admits(fields.kind)) {
      // What sets the worker's things free reaches it all the same, and nobody waits for it.
      if (isOwed(fields.kind)) this.#sendUnheard(fields);
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
    const unsent = new Set(this.#backlog.map(({ id }) => id));
    const dropped = new Set<number>();
    for (const { record, reject } of this.#inOrder()) {
      if (keeps(record)) continue;
      const { id } = record;
      this.#waiting.take(id);
      const isDropped = unsent.has(id) && !isOwed(record.kind);
      if (isDropped) dropped.add(id);
      this.#givenUp.add(record, !isDropped);
      reject(error);
    }
    if (dropped.size === 0) return;
    const kept = this.#backlog.filter(({ id }) => !dropped.has(id));
    this.#backlog.splice(0, this.#backlog.length, ...kept);
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
    this.#waiting.add(record.id, { resolve, reject, record });
    this.#enqueue(record);
  }

  #record(fields: RequestFields): RingRecord {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0x7fffffff;
    return {
      id,
      kind: fields.kind,
      flags: fields.flags ?? 0,
      block: fields.block ?? -1,
      blockLength: fields.blockLength ?? 0,
      a: fields.a ?? 0,
      b: fields.b ?? 0,
      c: fields.c ?? 0,
      text: fields.text ?? "",
      text2: fields.text2 ?? "",
    };
  }

  #enqueue(record: RingRecord): void {
    if (this.#backlog.length > 0 || !this.#push(record)) this.#backlog.push(record);
    else this.#turns?.pushed();
  }

  /** At most one ring's worth is in flight, so that completions always find room. */
  #push(record: RingRecord): boolean {
    if (this.#inFlight >= ringSlots || !this.#requests.push(record)) return false;
    this.#inFlight += 1;
    return true;
  }

  #refused(): AppError<FileStoreErrorCode> {
    if (this.#closing) return fileStoreError("store-closing", "the node is stopping");
    if (this.#state === "online" && this.#refusal !== undefined) return this.#refusal;
    const { index, directory } = this.settings;
    const why = this.#problem ?? "not ready";
    const message = `store path ${index} (${directory}) is ${this.#state}: ${why}`;
    const code = this.#state === "opening" ? "store-path-unready" : "store-path-offline";
    return fileStoreError(code, message);
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
      if (this.#state === "online") this.#setState("offline", "the node is stopping");
      this.#rejectAll(this.#refused());
    }
  }

  #drain(): boolean {
    for (;;) {
      const record = this.#completions.take();
      if (record === undefined) break;
      this.#inFlight -= 1;
      this.#answered += 1;
      const waiting = this.#waiting.take(record.id);
      if (waiting === undefined) {
        this.#answeredLate(record);
        continue;
      }
      if (record.kind === completion.done) waiting.resolve(record);
      else waiting.reject(failureFrom(record));
    }
    this.#sendBacklog();
    return !this.#ended;
  }

  #sendBacklog(): void {
    let sent = 0;
    while (sent < this.#backlog.length) {
      const record = this.#backlog[sent];
      if (record === undefined || !this.#push(record)) break;
      sent += 1;
    }
    if (sent === 0) return;
    this.#backlog.splice(0, sent);
    this.#requests.wake();
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
    this.#backlog.length = 0;
    for (const waiting of left) waiting.reject(error);
    this.#givenUp.forgetAll();
  }

  #setState(state: StorePathState, problem: string | undefined): void {
    this.#state = state;
    this.#problem = problem;
    this.onStateChange();
  }
}

interface Opening {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Asked by the path's owner, who waits as long as it takes. */
function isOwner(kind: number): boolean {
  return kind === request.space || kind === request.check || kind === request.close;
}

function failureFrom(record: RingRecord): AppError<FileStoreErrorCode> {
  const [errno = "", message = ""] = record.text2.split("\0");
  const details = errno === "" ? {} : { errno };
  return fileStoreError(record.text as FileStoreErrorCode, message, { details });
}
