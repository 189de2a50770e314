/** How a worker answers: completions into the ring, payloads into the blocks that came with the requests. Worker thread. */
import { blockView } from "#filestore/block-pool.ts";
import type { RingRecord, RingWriter } from "#filestore/ring.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import { completion } from "#filestore/worker-messages.ts";

/** Fields of a completion; what is left out is zero or empty. */
export interface AnswerFields {
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly length?: number;
  readonly text?: string;
  readonly flags?: number;
}

export class Answers {
  readonly #completions: RingWriter;
  readonly #blocks: SharedArrayBuffer;
  readonly #views: (Uint8Array | undefined)[] = [];

  constructor(completions: RingWriter, blocks: SharedArrayBuffer) {
    this.#completions = completions;
    this.#blocks = blocks;
  }

  /** The whole block. */
  view(block: number): Uint8Array {
    this.#views[block] ??= blockView(this.#blocks, block);
    return this.#views[block];
  }

  /** The payload of a request. */
  payload(record: RingRecord): Uint8Array {
    return this.view(record.block).subarray(0, record.blockLength);
  }

  done(id: number, fields: AnswerFields = {}): void {
    this.#completions.push({
      id,
      kind: completion.done,
      flags: fields.flags ?? 0,
      block: -1,
      blockLength: fields.length ?? 0,
      a: fields.a ?? 0,
      b: fields.b ?? 0,
      c: fields.c ?? 0,
      text: fields.text ?? "",
      text2: "",
    });
  }

  /** Errors that are no failures of the disk or of the request are thrown on: they end the worker. */
  fail(id: number, error: unknown): void {
    const { code, errno, message } = failureOf(error);
    this.#completions.push({
      id,
      kind: completion.failed,
      flags: 0,
      block: -1,
      blockLength: 0,
      a: 0,
      b: 0,
      c: 0,
      text: code,
      text2: `${errno}\0${message}`,
    });
  }

  /** Answers with the failure when `action` throws. */
  attempt(id: number, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(id, error);
    }
  }

  /** Rouses those who wait for answers. */
  wake(): void {
    this.#completions.wake();
  }
}
