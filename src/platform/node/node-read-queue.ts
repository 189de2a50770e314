/**
 * Direct reads that the kernel does while the thread goes on: Linux's native AIO, by `node:ffi`. Two calls, one to begin and one to wait, no
 * event loop and no further thread, which is what a thread that works synchronously can use. A read into a block that nobody wants any more
 * keeps its block until it ended. One object a thread.
 */
import { assert } from "#base/assert.ts";
import type { FileDescriptor } from "#platform/files.ts";
import { type Ffi, linuxFunctions } from "#platform/node/node-ffi.ts";

/** Of memory, position and length of direct reads: what every disk and file system takes. */
export const readAlignment = 4096;

/** Blocks for pieces of large files: one that is looked at, two that follow, and the begin of the next file. */
const largeBlocks = 4;
const smallBlocks = 32;
export const smallBlockBytes = 64 * 1024;
const blocks = largeBlocks + smallBlocks;

/** Of `struct iocb` and `struct io_event`, the same everywhere. */
const requestBytes = 64;
const wordsPerEvent = 4;
/** IOCB_CMD_PREAD. */
const readCommand = 0;
/** `io_getevents` ends without a result when a signal comes in between. */
const maxWaits = 1000;

interface Numbers {
  readonly setup: bigint;
  readonly destroy: bigint;
  readonly submit: bigint;
  readonly wait: bigint;
}

const numbersOf: Readonly<Record<string, Numbers>> = {
  x64: { setup: 206n, destroy: 207n, wait: 208n, submit: 209n },
  arm64: { setup: 0n, destroy: 1n, submit: 2n, wait: 4n },
};

const signatures = {
  syscall: { arguments: ["i64", "u64", "u64", "u64", "u64", "u64"], return: "i64" },
} as const;

interface Functions {
  readonly syscall: (
    number: bigint,
    ...parameters: readonly [bigint, bigint, bigint, bigint, bigint]
  ) => bigint;
}

export interface QueuedRead {
  readonly position: number;
  readonly length: number;
  /** The number of bytes, or of the error, which is negative; 0 also where the kernel took no such read. Waits for it. */
  wait(): number;
  /** What was read; stays until `release`. */
  readonly bytes: Buffer;
  /** Nobody looks at it any more; it need not have ended. */
  release(): void;
}

/** Undefined where the runtime or the kernel has none, or so many are in use already. `largeBytes`: of the longest read. */
export function openReadQueue(largeBytes: number): ReadQueue | undefined {
  const numbers = numbersOf[process.arch];
  const found = numbers && linuxFunctions<Functions>(signatures);
  if (numbers === undefined || found === undefined) return undefined;
  const context = new BigUint64Array(1);
  const contextAt = found.ffi.getRawPointer(context.buffer);
  const { syscall } = found.functions;
  if (syscall(numbers.setup, BigInt(blocks), contextAt, 0n, 0n, 0n) !== 0n) return undefined;
  return new ReadQueue({ ...found, numbers, context: context[0] ?? 0n, largeBytes });
}

interface ReadQueueParts {
  readonly ffi: Ffi;
  readonly functions: Functions;
  readonly numbers: Numbers;
  readonly context: bigint;
  readonly largeBytes: number;
}

interface Block {
  readonly number: number;
  readonly bytes: Buffer;
  state: "free" | "queued" | "reading" | "read" | "unwanted";
  result: number;
}

export class ReadQueue {
  readonly #parts: ReadQueueParts;
  readonly #blocks: readonly Block[];
  readonly #memoryAt: bigint;
  readonly #requests = new DataView(new ArrayBuffer(requestBytes * blocks));
  readonly #requestsAt: bigint;
  /** The addresses of the requests that are handed over. */
  readonly #pointers = new BigUint64Array(blocks);
  readonly #pointersAt: bigint;
  readonly #events = new BigInt64Array(wordsPerEvent * blocks);
  readonly #eventsAt: bigint;
  /** To be handed over together. */
  #queued: Block[] = [];
  #isClosed = false;

  constructor(parts: ReadQueueParts) {
    this.#parts = parts;
    const { ffi, largeBytes } = parts;
    const size = largeBlocks * largeBytes + smallBlocks * smallBlockBytes;
    // What may grow is made of whole pages; Node gives no other memory that is known to be aligned.
    const memory = new ArrayBuffer(size, { maxByteLength: size });
    this.#memoryAt = ffi.getRawPointer(memory);
    this.#blocks = Array.from({ length: blocks }, (_, number) => {
      const isLarge = number < largeBlocks;
      const before = Math.min(number, largeBlocks) * largeBytes;
      const start = before + Math.max(0, number - largeBlocks) * smallBlockBytes;
      const bytes = Buffer.from(memory, start, isLarge ? largeBytes : smallBlockBytes);
      return { number, bytes, state: "free", result: 0 };
    });
    this.#requestsAt = ffi.getRawPointer(this.#requests.buffer);
    this.#pointersAt = ffi.getRawPointer(this.#pointers.buffer);
    this.#eventsAt = ffi.getRawPointer(this.#events.buffer);
  }

  /**
   * `position` and `length` are aligned. Undefined where there is no room. The disk gets it with the next `submit`, or when somebody waits: of
   * neighbours that come together the kernel makes one request of the disk.
   */
  begin(
    descriptor: FileDescriptor,
    range: { readonly position: number; readonly length: number },
  ): QueuedRead | undefined {
    const { position, length } = range;
    const block = this.#isClosed ? undefined : this.#room(length);
    if (block === undefined) return undefined;
    const at = block.number * requestBytes;
    const target = this.#memoryAt + BigInt(block.bytes.byteOffset);
    this.#requests.setBigUint64(at, BigInt(block.number), true);
    this.#requests.setUint16(at + 16, readCommand, true);
    this.#requests.setUint32(at + 20, descriptor, true);
    this.#requests.setBigUint64(at + 24, target, true);
    this.#requests.setBigUint64(at + 32, BigInt(length), true);
    this.#requests.setBigInt64(at + 40, BigInt(position), true);
    block.state = "queued";
    this.#queued.push(block);
    return {
      ...{ position, length, bytes: block.bytes },
      wait: () => this.#wait(block),
      release: () => {
        if (block.state === "queued") this.#queued = this.#queued.filter((each) => each !== block);
        block.state = block.state === "reading" ? "unwanted" : "free";
      },
    };
  }

  /** Hands over what was begun since the last time. What the kernel does not take has read nothing. */
  submit(): void {
    if (this.#queued.length === 0) return;
    for (const [at, { number }] of this.#queued.entries()) {
      this.#pointers[at] = this.#requestsAt + BigInt(number * requestBytes);
    }
    const { functions, numbers, context } = this.#parts;
    const count = BigInt(this.#queued.length);
    const taken = functions.syscall(numbers.submit, context, count, this.#pointersAt, 0n, 0n);
    for (const [at, block] of this.#queued.entries()) {
      block.state = at < taken ? "reading" : "read";
      block.result = 0;
    }
    this.#queued = [];
  }

  /** Waits for what is under way: memory that a disk still writes to must stay. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { functions, numbers, context } = this.#parts;
    functions.syscall(numbers.destroy, context, 0n, 0n, 0n, 0n);
  }

  #room(length: number): Block | undefined {
    const fits = ({ state, bytes }: Block): boolean =>
      state === "free" && bytes.length >= length && (bytes.length === smallBlockBytes) === isSmall;
    const isSmall = length <= smallBlockBytes;
    const free = this.#blocks.find(fits);
    if (free !== undefined || !this.#blocks.some(({ state }) => state === "unwanted")) return free;
    this.#collect(0n);
    return this.#blocks.find(fits);
  }

  #wait(block: Block): number {
    if (block.state === "queued") this.submit();
    for (let waits = 0; block.state === "reading"; waits += 1) {
      assert(waits < maxWaits, "reads that were begun end");
      this.#collect(1n);
    }
    return block.result;
  }

  #collect(least: bigint): void {
    const { functions, numbers, context } = this.#parts;
    const most = BigInt(blocks);
    const count = functions.syscall(numbers.wait, context, least, most, this.#eventsAt, 0n);
    for (let at = 0; at < count; at += 1) {
      const block = this.#blocks[Number(this.#events[at * wordsPerEvent])];
      if (block === undefined) continue;
      block.result = Number(this.#events[at * wordsPerEvent + 2]);
      block.state = block.state === "unwanted" ? "free" : "read";
    }
  }
}
