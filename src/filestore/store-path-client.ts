/**
 * The main thread's end of one store-path worker: sends requests over the ring, matches completions, owns the blocks, and
 * knows whether the path is served. A worker that ends takes its path offline; nothing else is touched. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { BlockPool } from "#filestore/block-pool.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import {
  makeRingMemory,
  RingReader,
  type RingRecord,
  RingWriter,
  ringSlots,
} from "#filestore/ring.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import {
  completion,
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
}

export type StorePathState = "opening" | "online" | "offline";

export class StorePathClient {
  readonly settings: StorePathSettings;
  readonly blocks = new BlockPool();
  readonly #requests: RingWriter;
  readonly #completions: RingReader;
  readonly #memory: {
    readonly requests: SharedArrayBuffer;
    readonly completions: SharedArrayBuffer;
  };
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
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
  onStateChange: () => void = () => {};
  /** A flush failed: the worker refuses changes until it was asked to `check`. */
  onFlushFailed: (problem: string) => void = () => {};
  /** The worker wants so many numbers for new trunk files: answer with a `trunkLease` when there are some. */
  onTrunkLeaseWanted: (count: number) => void = () => {};

  constructor(settings: StorePathSettings, log: Log) {
    this.settings = settings;
    this.#log = log.for(`store-path-${settings.index}`);
    this.#memory = { requests: makeRingMemory(), completions: makeRingMemory() };
    this.#requests = new RingWriter(this.#memory.requests);
    this.#completions = new RingReader(this.#memory.completions);
  }

  get state(): StorePathState {
    return this.#state;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Starts the worker; resolves when the path is served, rejects with the reason when it cannot be. */
  start(workers: Workers): Promise<void> {
    this.#opened ??= new Promise<void>((resolve, reject) => {
      const data: StorePathThreadData = {
        settings: this.settings,
        requests: this.#memory.requests,
        completions: this.#memory.completions,
        blocks: this.blocks.memory,
      };
      const thread = workers.start("store-path-worker", data);
      thread.onMessage = (message) => {
        const post = message as StorePathPost;
        if (post.post === "log") {
          const { level, event, data: fields } = post.record;
          this.#log[level](event, fields);
        } else if (post.post === "opened") {
          this.#setState("online", undefined);
          if (post.rolledForward + post.swept > 0) {
            this.#log.notice("interrupted-work-settled", {
              completed: post.rolledForward,
              dropped: post.swept,
            });
          }
          resolve();
        } else if (post.post === "trunk-lease-wanted") {
          this.onTrunkLeaseWanted(post.count);
        } else if (post.post === "flush-failed") {
          this.onFlushFailed(post.message);
        } else {
          this.#setState("offline", post.message);
          reject(new AppError(post.code, post.message));
        }
      };
      thread.onExit = (error) => {
        this.#threadEnded(error);
        reject(fileStoreError("store-path-offline", this.#problem ?? "the store path was closed"));
      };
      this.#completions.watch(() => this.#drain());
    });
    return this.#opened;
  }

  /** Requests without a completion, for tests and metrics. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** A number for a new upload. */
  newUpload(): number {
    return this.#nextUpload++;
  }

  /** Sends a request; the promise ends with its completion. Rejects with `AppError<FileStoreErrorCode>`. */
  send(fields: RequestFields): Promise<RingRecord> {
    if (this.#state !== "online" || this.#closing) return Promise.reject(this.#refusal());
    return this.#send(fields);
  }

  #send(fields: RequestFields): Promise<RingRecord> {
    return new Promise<RingRecord>((resolve, reject) => {
      const id = this.#nextId;
      this.#nextId = (id + 1) & 0x7fffffff;
      this.#waiting.set(id, { resolve, reject });
      const record: RingRecord = {
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
      if (this.#backlog.length > 0 || !this.#push(record)) this.#backlog.push(record);
      else this.#requests.wake();
    });
  }

  /** At most one ring's worth is in flight, so that completions always find room. */
  #push(record: RingRecord): boolean {
    if (this.#inFlight >= ringSlots || !this.#requests.push(record)) return false;
    this.#inFlight += 1;
    return true;
  }

  #refusal(): AppError<FileStoreErrorCode> {
    if (this.#closing) return fileStoreError("store-closing", "the node is stopping");
    const { index, directory } = this.settings;
    const why = this.#problem ?? "not ready";
    const message = `store path ${index} (${directory}) is ${this.#state}: ${why}`;
    return fileStoreError("store-path-offline", message);
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
      this.#rejectAll(this.#refusal());
    }
  }

  #drain(): boolean {
    for (;;) {
      const record = this.#completions.take();
      if (record === undefined) break;
      this.#inFlight -= 1;
      const waiting = this.#waiting.get(record.id);
      this.#waiting.delete(record.id);
      if (waiting === undefined) continue;
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
    this.#rejectAll(this.#refusal());
  }

  #rejectAll(error: Error): void {
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#backlog.length = 0;
    for (const waiting of left) waiting.reject(error);
  }

  #setState(state: StorePathState, problem: string | undefined): void {
    this.#state = state;
    this.#problem = problem;
    this.onStateChange();
  }
}

function failureFrom(record: RingRecord): AppError<FileStoreErrorCode> {
  const [errno = "", message = ""] = record.text2.split("\0");
  const details = errno === "" ? {} : { errno };
  return fileStoreError(record.text as FileStoreErrorCode, message, { details });
}
