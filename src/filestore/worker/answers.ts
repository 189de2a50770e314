/** How a worker answers: completions into the ring, payloads into the blocks that came with the requests. Worker thread. */
import { blockView } from "#filestore/block-pool.ts";
import type { RingRecord, RingWriter } from "#filestore/ring.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import { completion, type WireFailure } from "#filestore/worker-messages.ts";
import type { Clock } from "#platform/clock.ts";

/** Fields of a completion; what is left out is zero or empty. */
export interface AnswerFields {
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly length?: number;
  readonly text?: string;
  readonly flags?: number;
}

interface AnswersParts {
  readonly completions: RingWriter;
  readonly blocks: SharedArrayBuffer;
  readonly clock?: Clock | undefined;
}

/** A batch of requests that takes longer than this meets a disk that is slow, or long work. */
const slowBatchMs = 5;

export class Answers {
  readonly #completions: RingWriter;
  readonly #blocks: SharedArrayBuffer;
  readonly #views: (Uint8Array | undefined)[] = [];

  readonly #clock: Clock | undefined;
  #toldMs = 0;

  /** The store path is where it was. Asked before somebody is told that there is no such file. */
  isPresent: () => boolean = () => true;

  /** Without a clock, `wakeWhenSlow` does nothing. */
  constructor(completions: RingWriter, blocks: SharedArrayBuffer, clock?: Clock) {
    this.#completions = completions;
    this.#blocks = blocks;
    this.#clock = clock;
  }

  /** Of a worker's engine. */
  static of(engine: { readonly isPresent: boolean }, parts: AnswersParts): Answers {
    const answers = new Answers(parts.completions, parts.blocks, parts.clock);
    answers.isPresent = () => engine.isPresent;
    return answers;
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
    const { code, errno, message } = this.#judged(failureOf(error));
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

  /** Where the file system was unmounted, no file is found, and all are there. */
  #judged(failure: WireFailure): WireFailure {
    const isMissing = failure.code === "file-missing" || failure.errno === "ENOENT";
    if (!isMissing || this.isPresent()) return failure;
    const message = "its file system is not mounted any more; nothing was done";
    return { code: "store-path-unready", message, errno: "" };
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

  /** Some requests follow, which are roused for together. */
  beginBatch(): void {
    this.#toldMs = this.#clock?.monotonicMs() ?? 0;
  }

  /** One of them was handled. Where the disk takes its time, whoever was answered does not wait for the next one as well. */
  wakeWhenSlow(): void {
    const nowMs = this.#clock?.monotonicMs() ?? this.#toldMs;
    if (nowMs - this.#toldMs < slowBatchMs) return;
    this.#toldMs = nowMs;
    this.wake();
  }
}
