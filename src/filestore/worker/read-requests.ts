/** Requests that read: pieces of files, what is known about them, their metadata. Worker thread. */
import { AppError } from "#base/app-error.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import type { ReadHandle, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { flagComputeCrc, flagEmptyIsFine } from "#filestore/worker-messages.ts";

export interface ReadRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  readonly longWork: LongWork;
}

/** Each method answers its request or throws what it is to be answered with. */
export class ReadRequests {
  readonly #engine: StorePathEngine;
  readonly #answers: Answers;
  readonly #longWork: LongWork;
  /** Files of which more is going to be read. */
  readonly #handles = new Map<number, ReadHandle>();
  #next = 1;

  constructor(parts: ReadRequestParts) {
    this.#engine = parts.engine;
    this.#answers = parts.answers;
    this.#longWork = parts.longWork;
  }

  read(record: RingRecord): void {
    if (record.c > 0 && this.#readWhole(record)) return;
    const handle = this.#engine.openRead(record.text);
    let keep = false;
    try {
      const size = handle.sizeBytes;
      const offset = record.a;
      const mayBeEmpty = (record.flags & flagEmptyIsFine) !== 0 && offset === size;
      if (offset >= size && !mayBeEmpty) {
        throw new AppError("file-invalid", `offset ${offset} is not inside of ${size} bytes`);
      }
      const rest = size - offset;
      const wanted = record.b === 0 ? rest : Math.min(record.b, rest);
      const view = this.#answers.view(record.block);
      const first = Math.min(wanted, record.blockLength, view.length);
      const got = first === 0 ? 0 : handle.read(view.subarray(0, first), offset);
      if (got < first) throw new AppError("disk-failed", "the file is shorter than it was");
      keep = first < wanted;
      const number = keep ? this.#next++ : 0;
      if (keep) this.#handles.set(number, handle);
      const { modifiedSeconds } = handle;
      this.#answers.done(record.id, { a: size, b: modifiedSeconds, c: number, length: first });
    } finally {
      if (!keep) handle.close();
    }
  }

  /** Most downloads: a whole small file whose name says its size. False where the request is to be answered with more care. */
  #readWhole(record: RingRecord): boolean {
    const { id, a: offset, b: length, c: size } = record;
    if (offset !== 0 || (length !== 0 && length < size) || size > record.blockLength) return false;
    if (!this.#engine.readWhole(record.text, size, this.#answers.view(record.block))) return false;
    this.#answers.done(id, { a: size, length: size });
    return true;
  }

  readMore(record: RingRecord): void {
    const handle = this.#handles.get(record.a);
    if (handle === undefined) throw new AppError("file-invalid", "unknown read");
    const view = this.#answers.view(record.block);
    const length = Math.min(record.c, view.length);
    const got = handle.read(view.subarray(0, length), record.b);
    if (got < length) throw new AppError("disk-failed", "the file is shorter than it was");
    this.#answers.done(record.id, { length });
  }

  readEnd(record: RingRecord): void {
    this.#handles.get(record.a)?.close();
    this.#handles.delete(record.a);
    this.#answers.done(record.id);
  }

  facts(record: RingRecord): void {
    const { id } = record;
    const facts = this.#engine.facts(record.text);
    const fields = { a: facts.sizeBytes, b: facts.modifiedSeconds };
    if (facts.crc32 !== undefined || (record.flags & flagComputeCrc) === 0) {
      this.#answers.done(id, { ...fields, c: facts.crc32 ?? 0 });
      return;
    }
    this.#longWork.start(this.#engine.crc(record.text), {
      committed: false,
      done: (crc) => this.#answers.done(id, { ...fields, c: crc }),
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  readMetadata(record: RingRecord): void {
    const text = this.#engine.readMetadata(record.text);
    const view = this.#answers.view(record.block);
    // Too long for this block: the length alone is answered, and asked again with a larger one.
    if (text.length <= view.length) view.set(text);
    this.#answers.done(record.id, { a: text.length });
  }

  closeAll(): void {
    for (const handle of this.#handles.values()) handle.close();
    this.#handles.clear();
  }
}
