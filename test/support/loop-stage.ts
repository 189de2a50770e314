/**
 * The loop of a store-path worker over a real engine on simulated files, with flushes that the test completes: requests go in through
 * a ring, turns are made by hand, answers come out in their order.
 */
import { blockView, makeBlockMemory } from "#filestore/block-pool.ts";
import { makeRingMemory, RingReader, RingWriter } from "#filestore/ring.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import type { FileStoreError } from "#filestore/worker/disk-failure.ts";
import { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import { completion, request, writeFlag } from "#filestore/worker-messages.ts";
import type { Files } from "#platform/files.ts";
import { type EngineWorld, openEngine } from "./engine-fixture.ts";
import { HeldFlusher } from "./held-flusher.ts";

export interface Answer {
  readonly id: number;
  /** The name that was made, or the code of the failure. */
  readonly text: string;
  readonly failed: boolean;
}

export class LoopStage {
  readonly engine: StorePathEngine;
  readonly flusher: HeldFlusher;
  readonly loop: WorkerLoop;
  readonly answered: Answer[] = [];
  refusal: FileStoreError | undefined;
  readonly #requests: RingWriter;
  readonly #completions: RingReader;
  readonly #blocks = makeBlockMemory();

  constructor(world: EngineWorld & { readonly files: Files }) {
    this.engine = openEngine(world);
    this.flusher = new HeldFlusher(world.files);
    const requests = makeRingMemory();
    const completions = makeRingMemory();
    this.#requests = new RingWriter(requests);
    this.#completions = new RingReader(completions);
    this.loop = new WorkerLoop({
      engine: this.engine,
      diskFiles: new DiskFileWriter(world.files, undefined),
      flusher: this.flusher,
      refusal: () => this.refusal,
      requests: new RingReader(requests),
      completions: new RingWriter(completions),
      blocks: this.#blocks,
    });
  }

  send(id: number, fields: RequestFields): void {
    const empty = { flags: 0, block: -1, blockLength: 0, a: 0, b: 0, c: 0, text: "", text2: "" };
    this.#requests.push({ id, ...empty, ...fields });
  }

  /** A whole small file; the request's number is that of its block. */
  create(id: number, content: string): void {
    this.block(id).set(Buffer.from(content));
    const length = Buffer.byteLength(content);
    const flags = writeFlag.first | writeFlag.last;
    this.send(id, {
      kind: request.write,
      ...{ a: id, b: length, block: id, blockLength: length, flags, text: "txt" },
    });
  }

  remove(id: number, name: string): void {
    this.send(id, { kind: request.remove, text: name });
  }

  block(id: number): Uint8Array {
    return blockView(this.#blocks, id);
  }

  /** Turns until the loop has nothing to do but to wait; adds what was answered to `answered`. */
  turn(): readonly Answer[] {
    while (!this.loop.closed && this.loop.turn());
    const found: Answer[] = [];
    for (let next = this.#completions.take(); next !== undefined; next = this.#completions.take()) {
      found.push({ id: next.id, text: next.text, failed: next.kind === completion.failed });
    }
    this.answered.push(...found);
    return found;
  }

  /** Turns and completes flushes until nothing is under way. */
  settle(): readonly Answer[] {
    const from = this.answered.length;
    this.turn();
    while (this.flusher.held.length > 0) {
      this.flusher.completeAll();
      this.turn();
    }
    return this.answered.slice(from);
  }
}
