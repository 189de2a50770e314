/**
 * The few system calls, mostly on sockets, that Node does not offer, by `node:ffi` (experimental since Node 26): undefined where the runtime has
 * none. A call costs 0.13 µs more than its work, and 0.1 for each argument of 64 bits (measured). One object a thread.
 */
import type { SocketPiece, SocketWriter } from "#platform/lent-sockets.ts";
import { type Ffi, linuxFunctions } from "#platform/node/node-ffi.ts";

export interface SystemCalls {
  /** Another descriptor of the same thing; -1 where none is to be had. */
  duplicate(descriptor: number): number;
  close(descriptor: number): void;
  /** Both directions of a connection end, whoever has it open. */
  shutDown(descriptor: number): void;
  /** What came over a TCP connection is acknowledged at once. */
  acknowledge(descriptor: number): void;
  /** What the page cache holds of a part of a file, and is written, is given back. */
  forget(descriptor: number, position: number, length: number): void;
  writerFrom(memory: SharedArrayBuffer): SocketWriter;
}

/** Of `shutdown`. */
const bothDirections = 2;
/** Of `send` on Linux: MSG_DONTWAIT and MSG_NOSIGNAL; with MSG_MORE. */
const sendFlags = 0x40 | 0x4000;
const moreFlag = 0x8000;
/** Of `setsockopt` on Linux: IPPROTO_TCP and TCP_QUICKACK, which the kernel forgets with the next data that we send. */
const tcpLevel = 6;
const quickAck = 12;
/** Of `posix_fadvise` on Linux: POSIX_FADV_DONTNEED. */
const dontNeed = 4;

const signatures = {
  dup: { arguments: ["i32"], return: "i32" },
  close: { arguments: ["i32"], return: "i32" },
  shutdown: { arguments: ["i32", "i32"], return: "i32" },
  send: { arguments: ["i32", "pointer", "u64", "i32"], return: "i64" },
  setsockopt: { arguments: ["i32", "i32", "i32", "pointer", "u32"], return: "i32" },
  sendfile: { arguments: ["i32", "i32", "pointer", "u64"], return: "i64" },
  posix_fadvise: { arguments: ["i32", "i64", "i64", "i32"], return: "i32" },
} as const;

interface Functions {
  readonly dup: (descriptor: number) => number;
  readonly close: (descriptor: number) => number;
  readonly shutdown: (descriptor: number, how: number) => number;
  readonly send: (socket: number, bytes: bigint, length: bigint, flags: number) => bigint;
  readonly setsockopt: (
    socket: number,
    level: number,
    option: number,
    value: bigint,
    size: number,
  ) => number;
  readonly sendfile: (socket: number, file: number, offset: bigint, length: bigint) => bigint;
  readonly posix_fadvise: (
    descriptor: number,
    offset: bigint,
    length: bigint,
    advice: number,
  ) => number;
}

/** Undefined where this runtime has no `node:ffi`, or is no Linux: the numbers above are Linux's. */
export function systemCalls(): SystemCalls | undefined {
  const found = linuxFunctions<Functions>(signatures);
  return found === undefined ? undefined : new FfiCalls(found.ffi, found.functions);
}

class FfiCalls implements SystemCalls {
  readonly #ffi: Ffi;
  readonly #functions: Functions;
  readonly #one = Int32Array.of(1);
  readonly #oneAt: bigint;

  constructor(ffi: Ffi, functions: Functions) {
    this.#ffi = ffi;
    this.#functions = functions;
    this.#oneAt = ffi.getRawPointer(this.#one.buffer);
  }

  duplicate(descriptor: number): number {
    return this.#functions.dup(descriptor);
  }

  close(descriptor: number): void {
    this.#functions.close(descriptor);
  }

  shutDown(descriptor: number): void {
    this.#functions.shutdown(descriptor, bothDirections);
  }

  acknowledge(descriptor: number): void {
    const { byteLength } = this.#one;
    this.#functions.setsockopt(descriptor, tcpLevel, quickAck, this.#oneAt, byteLength);
  }

  forget(descriptor: number, position: number, length: number): void {
    this.#functions.posix_fadvise(descriptor, BigInt(position), BigInt(length), dontNeed);
  }

  writerFrom(memory: SharedArrayBuffer): SocketWriter {
    const start = this.#ffi.getRawPointer(memory);
    const { send, sendfile } = this.#functions;
    const position = new BigInt64Array(1);
    const positionAt = this.#ffi.getRawPointer(position.buffer);
    return {
      send: (socket, { offset, length, more }: SocketPiece) => {
        const flags = more ? sendFlags | moreFlag : sendFlags;
        return taken(send(socket, start + BigInt(offset), BigInt(length), flags));
      },
      sendFile: (socket, file, range) => {
        position[0] = BigInt(range.position);
        return taken(sendfile(socket, file, positionAt, BigInt(range.length)));
      },
    };
  }
}

/** Errors are found by whoever sends the rest. */
function taken(result: bigint): number {
  return result > 0n ? Number(result) : 0;
}
