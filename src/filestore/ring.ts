/**
 * A ring of fixed slots in shared memory between two threads: one writes, one reads. Carries requests to a store-path
 * worker and completions back; payloads lie in blocks beside it. A record costs well below a microsecond and no system call as long as
 * the other side is awake (performance notes §3: 28 µs an upload against 45 with `postMessage`).
 *
 * Invariants: only the writer moves `tail`, only the reader moves `head`; a slot belongs to the reader from the moment
 * `tail` passes it until `head` does. Both count records modulo 2^32, which a busy node passes within a day. A reader that is going to sleep says so in `sleeping` and looks once more; one that waits in its event loop says so in `listening`, so
 * that waiting there does not cost anything as long as it sleeps in between.
 */

import { threadWaits } from "#filestore/thread-waits.ts";
import type { ThreadWaits } from "#platform/workers.ts";

/** Slots of a ring, a power of two; also the most requests in flight to one store path. */
export const ringSlots = 1024;
const slotMask = ringSlots - 1;
const slotBytes = 384;
const controlBytes = 64;

const headAt = 0;
const tailAt = 1;
const sleepingAt = 2;
const listeningAt = 3;

const textAt = 56;
/** Two texts of a record together, in UTF-8 bytes. */
export const maxRecordTextBytes = slotBytes - textAt;

/** What travels through a ring; the meaning of the fields is in `worker-messages.ts`. */
export interface RingRecord {
  readonly id: number;
  readonly kind: number;
  readonly flags: number;
  /** Index of a block of the pool, or -1. */
  readonly block: number;
  readonly blockLength: number;
  /** The descriptor of a socket that is lent with the request, or -1. */
  readonly socket?: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly text: string;
  readonly text2: string;
}

export function makeRingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(controlBytes + ringSlots * slotBytes);
}

class Ring {
  protected readonly control: Int32Array;
  protected readonly words: Int32Array;
  protected readonly doubles: Float64Array;
  protected readonly bytes: Buffer;
  protected readonly waits: ThreadWaits;

  constructor(memory: SharedArrayBuffer, waits: ThreadWaits = threadWaits) {
    this.waits = waits;
    this.control = new Int32Array(memory, 0, controlBytes / 4);
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
  }
}

export class RingWriter extends Ring {
  /** False when the ring is full. The record is visible to the reader at once; `wake` rouses it. */
  push(record: RingRecord): boolean {
    const tail = Atomics.load(this.control, tailAt);
    if (((tail - Atomics.load(this.control, headAt)) | 0) >= ringSlots) return false;
    const start = controlBytes + (tail & slotMask) * slotBytes;
    const word = start >> 2;
    const double = start >> 3;
    this.words[word] = record.id;
    this.words[word + 1] = record.kind;
    this.words[word + 2] = record.flags;
    this.words[word + 3] = record.block;
    this.words[word + 4] = record.blockLength;
    this.doubles[double + 4] = record.a;
    this.doubles[double + 5] = record.b;
    this.doubles[double + 6] = record.c;
    const at = start + textAt;
    const end = start + slotBytes;
    const first = record.text === "" ? 0 : this.bytes.write(record.text, at, end - at, "utf8");
    const second =
      record.text2 === ""
        ? 0
        : this.bytes.write(record.text2, at + first, end - at - first, "utf8");
    this.words[word + 5] = first;
    this.words[word + 6] = second;
    this.words[word + 7] = record.socket ?? -1;
    Atomics.store(this.control, tailAt, (tail + 1) | 0);
    return true;
  }

  /** Rouses the reader if it sleeps. */
  wake(): void {
    this.#rouse(sleepingAt);
    this.#rouse(listeningAt);
  }

  #rouse(word: number): void {
    if (Atomics.load(this.control, word) === 0) return;
    Atomics.store(this.control, word, 0);
    this.waits.notify(this.control, word);
  }
}

export class RingReader extends Ring {
  #waits = false;

  take(): RingRecord | undefined {
    const head = Atomics.load(this.control, headAt);
    if (head === Atomics.load(this.control, tailAt)) return undefined;
    const start = controlBytes + (head & slotMask) * slotBytes;
    const word = start >> 2;
    const double = start >> 3;
    const at = start + textAt;
    const first = this.words[word + 5] as number;
    const second = this.words[word + 6] as number;
    const record: RingRecord = {
      id: this.words[word] as number,
      kind: this.words[word + 1] as number,
      flags: this.words[word + 2] as number,
      block: this.words[word + 3] as number,
      blockLength: this.words[word + 4] as number,
      socket: this.words[word + 7] as number,
      a: this.doubles[double + 4] as number,
      b: this.doubles[double + 5] as number,
      c: this.doubles[double + 6] as number,
      text: first === 0 ? "" : this.bytes.toString("utf8", at, at + first),
      text2: second === 0 ? "" : this.bytes.toString("utf8", at + first, at + first + second),
    };
    Atomics.store(this.control, headAt, (head + 1) | 0);
    return record;
  }

  get isEmpty(): boolean {
    return Atomics.load(this.control, headAt) === Atomics.load(this.control, tailAt);
  }

  /** Blocks the thread until the writer wakes it, or for `limitMs`. For worker threads only. */
  sleep(limitMs?: number): void {
    Atomics.store(this.control, sleepingAt, 1);
    if (this.isEmpty) Atomics.wait(this.control, sleepingAt, 1, limitMs);
    Atomics.store(this.control, sleepingAt, 0);
  }

  /**
   * Calls `onWork` once, from the event loop, when there are records: true where that is to come, false where there are some now. One
   * wait at a time: while one is to come, asking again changes nothing.
   */
  waitOnce(onWork: () => void): boolean {
    Atomics.store(this.control, listeningAt, 1);
    if (!this.isEmpty) {
      Atomics.store(this.control, listeningAt, 0);
      return false;
    }
    if (this.#waits) return true;
    const woken = this.waits.waitAsync(this.control, listeningAt);
    if (woken === undefined) return false;
    this.#waits = true;
    void woken.then(() => {
      this.#waits = false;
      onWork();
    });
    return true;
  }

  /** Nobody has to be roused for records that come from now on; a wait that is to come still comes. */
  stayAwake(): void {
    Atomics.store(this.control, listeningAt, 0);
  }

  /** The watcher takes what comes by itself for a while, and has not to be roused for it. */
  pauseWatch(): void {
    Atomics.store(this.control, sleepingAt, 0);
  }

  /** The watcher is to be roused again; false, and it is not, where there are records, which are to be taken first. */
  resumeWatch(): boolean {
    Atomics.store(this.control, sleepingAt, 1);
    if (this.isEmpty) return true;
    this.pauseWatch();
    return false;
  }

  /**
   * Calls `onWork` whenever there may be records, until it returns false. For the main thread, which must not block: an
   * asynchronous wait costs one wake-up for a whole batch.
   */
  watch(onWork: () => boolean): void {
    const arm = (): void => {
      for (;;) {
        Atomics.store(this.control, sleepingAt, 1);
        if (!this.isEmpty) {
          Atomics.store(this.control, sleepingAt, 0);
          if (!onWork()) return;
          continue;
        }
        const woken = this.waits.waitAsync(this.control, sleepingAt);
        if (woken !== undefined) {
          void woken.then(() => {
            if (onWork()) arm();
          });
          return;
        }
      }
    };
    arm();
  }
}
