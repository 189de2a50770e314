/** Requests that read: pieces of files, what is known about them, their metadata. Worker thread. */
import { AppError } from "#base/app-error.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import type { DirectWriter } from "#filestore/worker/direct-writer.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import type { ReadHandle, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import {
  flagComputeCrc,
  flagEmptyIsFine,
  flagLast,
  frontShift,
} from "#filestore/worker-messages.ts";

export interface ReadRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  readonly longWork: LongWork;
  /** Without it sockets that are lent stay unused. */
  readonly direct?: DirectWriter | undefined;
}

interface Range {
  readonly position: number;
  readonly length: number;
}

interface Framed {
  readonly record: RingRecord;
  /** Length of the header in front of the block's data; 0 where there is none to be sent. */
  readonly front: number;
}

/** Of a range. */
interface Given {
  /** To the socket, header included. */
  readonly sent: number;
  /** In the block, following what was sent. */
  readonly length: number;
  /** Nothing of the range is left. */
  readonly isEnd: boolean;
}

/** Each method answers its request or throws what it is to be answered with. */
export class ReadRequests {
  readonly #engine: StorePathEngine;
  readonly #answers: Answers;
  readonly #longWork: LongWork;
  readonly #direct: DirectWriter | undefined;
  /** Files of which more is going to be read. */
  readonly #handles = new Map<number, ReadHandle>();
  #next = 1;

  constructor(parts: ReadRequestParts) {
    this.#engine = parts.engine;
    this.#answers = parts.answers;
    this.#longWork = parts.longWork;
    this.#direct = parts.direct;
  }

  read(record: RingRecord): void {
    this.#proved(record, record.text, () => this.#read(record));
  }

  /** Carries out a request when its file was seen to be what it should, where that is in doubt. */
  #proved({ id }: RingRecord, name: string, perform: () => void): void {
    const proof = this.#engine.proof(name);
    if (proof === undefined) {
      perform();
      return;
    }
    this.#longWork.start(proof, {
      committed: false,
      done: () => this.#answers.attempt(id, perform),
      failed: (error) => this.#answers.fail(id, error),
    });
  }

  #read(record: RingRecord): void {
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
      const length = record.b === 0 ? rest : Math.min(record.b, rest);
      // The header that came with the socket tells the length that the name says.
      const front = size === record.c ? record.flags >> frontShift : 0;
      const range = { position: offset, length };
      const lent = isLent(record);
      const given =
        lent && front > 0
          ? this.#send(handle, range, { record, front })
          : this.#readPiece(handle, range, record.block);
      keep = !given.isEnd;
      const number = keep ? this.#next++ : 0;
      if (keep) this.#handles.set(number, handle);
      const b = lent ? given.sent : handle.modifiedSeconds;
      this.#answers.done(record.id, { a: size, b, c: number, length: given.length });
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
    const { a: number, b: position, c: length } = record;
    const handle = this.#handles.get(number);
    if (handle === undefined) throw new AppError("file-invalid", "unknown read");
    const range = { position, length };
    const given = isLent(record)
      ? this.#send(handle, range, { record, front: 0 })
      : this.#readPiece(handle, range, record.block);
    const isClosed = (record.flags & flagLast) !== 0 && given.isEnd;
    if (isClosed) this.#close(number);
    const c = isClosed ? 1 : 0;
    this.#answers.done(record.id, { b: given.sent, c, length: given.length });
  }

  /** To the socket that came with the request, and what it has no room for into the block. */
  #send(handle: ReadHandle, range: Range, { record, front }: Framed): Given {
    const { socket = -1, block } = record;
    const { descriptor } = handle;
    if (descriptor === undefined || this.#direct === undefined) {
      return this.#readPiece(handle, range, block);
    }
    const { sent, isFull } = this.#direct.send({ socket, block, front }, { descriptor, ...range });
    const gone = Math.max(0, sent - front);
    const rest = { position: range.position + gone, length: range.length - gone };
    if (rest.length === 0 || !isFull) return { sent, length: 0, isEnd: rest.length === 0 };
    try {
      return { ...this.#readPiece(handle, rest, block), sent };
    } catch (error) {
      // What went out counts: whoever asks for the rest is told.
      if (sent === 0) throw error;
      return { sent, length: 0, isEnd: false };
    }
  }

  /** The begin of a range, or all of it, into the block. Throws `disk-failed`. */
  #readPiece(handle: ReadHandle, { position, length: all }: Range, block: number): Given {
    const view = this.#answers.view(block);
    const length = Math.min(all, view.length);
    const got = length === 0 ? 0 : handle.read(view.subarray(0, length), position);
    if (got < length) throw new AppError("disk-failed", "the file is shorter than it was");
    return { sent: 0, length, isEnd: length === all };
  }

  readEnd(record: RingRecord): void {
    this.#close(record.a);
    this.#answers.done(record.id);
  }

  #close(number: number): void {
    this.#handles.get(number)?.close();
    this.#handles.delete(number);
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
    this.#proved(record, `${record.text}-m`, () => this.#readMetadata(record));
  }

  #readMetadata(record: RingRecord): void {
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

/** A socket came with it. */
function isLent({ socket }: RingRecord): boolean {
  return socket !== undefined && socket >= 0;
}
