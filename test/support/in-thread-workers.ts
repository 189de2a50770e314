/**
 * Store-path workers without threads: the loop runs over a fake engine in the test's own thread, turn by turn by hand or by
 * itself between the turns of the event loop.
 */
import { RingReader, RingWriter } from "#filestore/ring.ts";
import { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import { FilesFlusher } from "#filestore/worker/flush-steps.ts";
import { PathCondition } from "#filestore/worker/path-condition.ts";
import { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import type { StorePathThreadData } from "#filestore/worker-messages.ts";
import type { SocketWriter } from "#platform/lent-sockets.ts";
import type { Workers, WorkerThread } from "#platform/workers.ts";
import { FakeEngine } from "./fake-engine.ts";
import { MemoryFiles } from "./memory-files.ts";

/** What a worker writes to lent sockets with, out of its blocks. */
export type SocketsOf = (engine: FakeEngine, blocks: SharedArrayBuffer) => SocketWriter;

export class InThreadWorker implements WorkerThread {
  onMessage: (message: unknown) => void = () => {};
  onExit: (error: Error | undefined) => void = () => {};
  readonly engine = new FakeEngine();
  readonly condition: PathCondition;
  readonly #loop: WorkerLoop;
  #automatic: boolean;
  #ended = false;

  constructor(data: StorePathThreadData, automatic: boolean, sockets?: SocketsOf) {
    this.#automatic = automatic;
    const condition = new PathCondition(data.pulse, (post) => this.onMessage(post));
    this.condition = condition;
    this.#loop = new WorkerLoop({
      engine: this.engine.asEngine,
      diskFiles: new DiskFileWriter(new MemoryFiles(), undefined),
      requests: new RingReader(data.requests),
      completions: new RingWriter(data.completions),
      blocks: data.blocks,
      ...(sockets === undefined ? {} : { sockets: sockets(this.engine, data.blocks) }),
      flusher: new FilesFlusher(new MemoryFiles()),
      refusal: () => condition.refusal,
      isAbandoned: (id) => condition.isAbandoned(id),
      checks: condition,
    });
    queueMicrotask(() => {
      this.onMessage({ post: "opened", rolledForward: 0, swept: 0, adopted: false });
    });
    setImmediate(() => this.#pump());
  }

  /** One turn of the loop; true when there may be more to do. */
  turn(): boolean {
    if (this.#ended) return false;
    let more = false;
    try {
      more = this.#loop.turn();
    } catch (error) {
      this.die(error as Error);
    }
    if (this.#loop.closed) {
      this.#ended = true;
      setImmediate(() => this.onExit(undefined));
    }
    return more;
  }

  /** Stops turning by itself, or begins to. */
  set automatic(value: boolean) {
    this.#automatic = value;
    if (value) this.#pump();
  }

  /** Ends the thread in the middle of whatever it does. */
  die(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    setImmediate(() => this.onExit(error));
  }

  #pump(): void {
    if (!this.#automatic || this.#ended) return;
    this.turn();
    setImmediate(() => this.#pump());
  }
}

export interface InThreadWorkers extends Workers {
  /** In the order of starting. */
  readonly started: InThreadWorker[];
}

export function inThreadWorkers(automatic: boolean, sockets?: SocketsOf): InThreadWorkers {
  const started: InThreadWorker[] = [];
  return {
    started,
    start: (_entry, data) => {
      const worker = new InThreadWorker(data as StorePathThreadData, automatic, sockets);
      started.push(worker);
      return worker;
    },
    afterTurn: (task) => void setImmediate(task),
  };
}
