/**
 * Reading what the kernel has in memory, by calls that refuse to wait: `openat2` with RESOLVE_CACHED (Linux 5.12), which looks names up in
 * the cache of names alone; `cachestat` (6.5), because a read that may not wait still begins to read ahead, for which a disk that hangs
 * has no room at some time; `preadv2` with RWF_NOWAIT. O_NOATIME, because noting the time of a read may wait for the file system's
 * journal. What is left is a file whose last name goes in the microseconds between its opening and its closing. Main thread.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { parseMounts } from "#platform/mount-table.ts";
import { splitDevice } from "#platform/node/block-queue.ts";
import { type Ffi, linuxFunctions } from "#platform/node/node-ffi.ts";
import type { ResidentFiles, ResidentReader, ResidentStat } from "#platform/resident-files.ts";

/** System calls without a function in the C library; the same numbers on x86-64 and arm64. */
const openat2Number = 437;
const cachestatNumber = 451;
/** Of `openat2`: paths are absolute; the room of its arguments; RESOLVE_CACHED. */
const currentDirectory = -100;
const howBytes = 24;
const resolveCached = 0x20n;
/** Not among Node's constants, and the same on both: O_CLOEXEC and O_PATH. */
const closeOnExec = 0o2000000;
const pathOnly = 0o10000000;
const noWait = 8;
const maxPathBytes = 4096;
const pageBytes = 4096;

/** Their `open` touches memory alone. */
const servedTypes: readonly string[] = ["ext4", "xfs"];

const signatures = {
  syscall: { arguments: ["i32", "i32", "pointer", "pointer", "i32"], return: "i32" },
  preadv2: { arguments: ["i32", "pointer", "i32", "i32", "i32"], return: "i32" },
} as const;

interface Functions {
  readonly syscall: (
    number: number,
    first: number,
    second: bigint,
    third: bigint,
    fourth: number,
  ) => number;
  readonly preadv2: (
    descriptor: number,
    pieces: bigint,
    count: number,
    position: number,
    flags: number,
  ) => number;
}

/** Undefined where the runtime or the kernel lacks one of the calls. */
export function residentFiles(): ResidentFiles | undefined {
  const found = linuxFunctions<Functions>(signatures);
  if (found === undefined) return undefined;
  const calls = new Calls(found.ffi, found.functions);
  return calls.work ? new NodeResidentFiles(calls) : undefined;
}

class NodeResidentFiles implements ResidentFiles {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  serves(device: number): boolean {
    const { major, minor } = splitDevice(device);
    const number = `${major}:${minor}`;
    const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
    return mounts.some(
      (mount) => mount.deviceNumber === number && servedTypes.includes(mount.type),
    );
  }

  readerInto(memory: SharedArrayBuffer): ResidentReader {
    const calls = this.#calls;
    const start = calls.addressOf(memory);
    return {
      readWhole: (path, offset, sizeBytes) =>
        calls.readWhole(path, start + BigInt(offset), sizeBytes),
      stat: (path) => calls.stat(path),
    };
  }
}

/** The calls, with the memory of their arguments. */
class Calls {
  readonly #ffi: Ffi;
  readonly #functions: Functions;
  readonly #path = Buffer.from(new ArrayBuffer(maxPathBytes));
  readonly #pathAt: bigint;
  readonly #toRead: bigint;
  readonly #toLook: bigint;
  /** An address and a length. */
  readonly #piece = new BigUint64Array(2);
  readonly #pieceAt: bigint;
  /** From 0 to the end of the file. */
  readonly #rangeAt: bigint;
  /** The first of five numbers: pages of the range that are in memory. */
  readonly #cached = new BigUint64Array(5);
  readonly #cachedAt: bigint;
  /** Memory that only its address is known of must stay. */
  readonly #kept: unknown[] = [];

  constructor(ffi: Ffi, functions: Functions) {
    this.#ffi = ffi;
    this.#functions = functions;
    const { O_NOATIME, O_NOFOLLOW, O_NONBLOCK } = constants;
    this.#pathAt = this.addressOf(this.#path.buffer);
    this.#toRead = this.#how(O_NOATIME | O_NOFOLLOW | O_NONBLOCK | closeOnExec);
    this.#toLook = this.#how(pathOnly | O_NOFOLLOW | closeOnExec);
    this.#pieceAt = this.addressOf(this.#piece.buffer);
    this.#rangeAt = this.#keep(new BigUint64Array(2));
    this.#cachedAt = this.addressOf(this.#cached.buffer);
  }

  /** Whether the kernel has them. */
  get work(): boolean {
    const root = this.#open("/", this.#toLook);
    if (root < 0) return false;
    closeSync(root);
    const program = openSync(process.execPath, "r");
    try {
      return this.#cachedPages(program) !== undefined;
    } finally {
      closeSync(program);
    }
  }

  addressOf(memory: ArrayBufferLike): bigint {
    return this.#ffi.getRawPointer(memory);
  }

  readWhole(path: string, target: bigint, sizeBytes: number): boolean {
    const descriptor = this.#open(path, this.#toRead);
    if (descriptor < 0) return false;
    try {
      const cached = this.#cachedPages(descriptor) ?? 0;
      if (cached < Math.ceil(sizeBytes / pageBytes)) return false;
      this.#piece[0] = target;
      this.#piece[1] = BigInt(sizeBytes + 1);
      return this.#functions.preadv2(descriptor, this.#pieceAt, 1, 0, noWait) === sizeBytes;
    } finally {
      closeSync(descriptor);
    }
  }

  stat(path: string): ResidentStat | undefined {
    const descriptor = this.#open(path, this.#toLook);
    if (descriptor < 0) return undefined;
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.nlink !== 1) return undefined;
      return { sizeBytes: stat.size, modifiedSeconds: Math.floor(stat.mtimeMs / 1000) };
    } finally {
      closeSync(descriptor);
    }
  }

  /** -1 where the name is not in the kernel's memory, is not ours, or anything else is the matter. */
  #open(path: string, how: bigint): number {
    const length = this.#path.write(path, 0, maxPathBytes, "utf8");
    // What was cut off would be another name.
    if (length === maxPathBytes) return -1;
    this.#path[length] = 0;
    return this.#functions.syscall(openat2Number, currentDirectory, this.#pathAt, how, howBytes);
  }

  /** Of the whole file; undefined where the kernel does not tell. */
  #cachedPages(descriptor: number): number | undefined {
    const { syscall } = this.#functions;
    const result = syscall(cachestatNumber, descriptor, this.#rangeAt, this.#cachedAt, 0);
    return result === 0 ? Number(this.#cached[0]) : undefined;
  }

  #how(flags: number): bigint {
    return this.#keep(BigUint64Array.of(BigInt(flags), 0n, resolveCached));
  }

  #keep(memory: BigUint64Array<ArrayBuffer>): bigint {
    this.#kept.push(memory);
    return this.addressOf(memory.buffer);
  }
}
