/**
 * Requests and replies of the kernel's FUSE protocol (7.31 and later, little endian), as far as a file system for tests needs them.
 * Pure. Numbers and layouts are those of the kernel's user interface, `linux/fuse.h`.
 */
import type { BigIntStats, StatsFsBase } from "node:fs";

/** Names of the calls by their number. Faults are given by these names. */
export const operationNames = {
  1: "lookup",
  2: "forget",
  3: "getattr",
  4: "setattr",
  5: "readlink",
  6: "symlink",
  8: "mknod",
  9: "mkdir",
  10: "unlink",
  11: "rmdir",
  12: "rename",
  13: "link",
  14: "open",
  15: "read",
  16: "write",
  17: "statfs",
  18: "release",
  20: "fsync",
  25: "flush",
  26: "init",
  27: "opendir",
  28: "readdir",
  29: "releasedir",
  30: "fsyncdir",
  34: "access",
  35: "create",
  36: "interrupt",
  38: "destroy",
  42: "batch-forget",
  43: "fallocate",
  45: "rename2",
} as const;

export type Operation = (typeof operationNames)[keyof typeof operationNames];

export interface Request {
  readonly opcode: number;
  /** Undefined for a call that is answered with ENOSYS. */
  readonly operation: Operation | undefined;
  readonly unique: bigint;
  readonly node: number;
  /** What follows the header; its own copy. */
  readonly body: Buffer;
}

export const rootNode = 1;
export const inHeaderBytes = 40;
export const maxWriteBytes = 1024 * 1024;
/** A read of the device with less room than this is refused by the kernel. */
export const requestBytesMax = maxWriteBytes + 4096;
const maxPages = 256;
const outHeaderBytes = 16;
const attributeBytes = 88;
const openOutBytes = 16;
/** Every read and write reaches the server; a map of the file is possible all the same, for SQLite's shared memory. */
const directIo = 1;
const initFlags = { asyncRead: 1, bigWrites: 1 << 5, asyncDio: 1 << 15, parallelDirs: 1 << 18 };
const maxPagesFlag = 1 << 22;
const initExtended = 1 << 30;
const directIoMayMap = 1 << 4;

export function decodeRequest(bytes: Buffer): Request {
  const opcode = bytes.readUInt32LE(4);
  return {
    opcode,
    operation: (operationNames as Readonly<Record<number, Operation>>)[opcode],
    unique: bytes.readBigUInt64LE(8),
    node: Number(bytes.readBigUInt64LE(16)),
    body: Buffer.from(bytes.subarray(inHeaderBytes, bytes.readUInt32LE(0))),
  };
}

/** `errno` is positive, 0 for success. */
export function encodeReply(unique: bigint, errno: number, body: Uint8Array): Buffer {
  const reply = Buffer.alloc(outHeaderBytes + body.length);
  reply.writeUInt32LE(reply.length, 0);
  reply.writeInt32LE(-errno, 4);
  reply.writeBigUInt64LE(unique, 8);
  reply.set(body, outHeaderBytes);
  return reply;
}

/** Names in a body end with a zero byte each. */
export function names(body: Buffer, from: number): string[] {
  return body.subarray(from).toString("utf8").split("\0").slice(0, -1);
}

export function initReply(request: Buffer): Buffer {
  const kernelFlags = request.readUInt32LE(12);
  const wanted = Object.values(initFlags).reduce((sum, flag) => sum | flag, maxPagesFlag);
  const reply = Buffer.alloc(64);
  reply.writeUInt32LE(7, 0);
  reply.writeUInt32LE(Math.min(request.readUInt32LE(4), 36), 4);
  reply.writeUInt32LE(maxWriteBytes, 8);
  reply.writeUInt32LE((kernelFlags & (wanted | initExtended)) >>> 0, 12);
  reply.writeUInt16LE(64, 16);
  reply.writeUInt16LE(48, 18);
  reply.writeUInt32LE(maxWriteBytes, 20);
  reply.writeUInt32LE(1, 24);
  reply.writeUInt16LE(maxPages, 28);
  reply.writeUInt32LE(directIoMayMap, 32);
  return reply;
}

function attributes(stat: BigIntStats): Buffer {
  const out = Buffer.alloc(attributeBytes);
  out.writeBigUInt64LE(stat.ino, 0);
  out.writeBigUInt64LE(stat.size, 8);
  out.writeBigUInt64LE(stat.blocks, 16);
  for (const [index, ns] of [stat.atimeNs, stat.mtimeNs, stat.ctimeNs].entries()) {
    out.writeBigUInt64LE(ns / 1_000_000_000n, 24 + 8 * index);
    out.writeUInt32LE(Number(ns % 1_000_000_000n), 48 + 4 * index);
  }
  const words = [stat.mode, stat.nlink, stat.uid, stat.gid, stat.rdev, 4096n];
  for (const [index, word] of words.entries()) out.writeUInt32LE(Number(word), 60 + 4 * index);
  return out;
}

/** Valid for no time: the kernel asks again at each use. */
export function attributeReply(stat: BigIntStats): Buffer {
  return Buffer.concat([Buffer.alloc(16), attributes(stat)]);
}

export function entryReply(node: number, stat: BigIntStats): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(BigInt(node), 0);
  return Buffer.concat([head, attributes(stat)]);
}

export function openReply(handle: number, kind: "file" | "directory"): Buffer {
  const out = Buffer.alloc(openOutBytes);
  out.writeBigUInt64LE(BigInt(handle), 0);
  out.writeUInt32LE(kind === "file" ? directIo : 0, 8);
  return out;
}

export function writeReply(count: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(count, 0);
  return out;
}

export function statfsReply(stats: StatsFsBase<number>): Buffer {
  const out = Buffer.alloc(80);
  const longs = [stats.blocks, stats.bfree, stats.bavail, stats.files, stats.ffree];
  for (const [index, value] of longs.entries()) out.writeBigUInt64LE(BigInt(value), 8 * index);
  for (const [index, value] of [stats.bsize, 255, stats.bsize].entries()) {
    out.writeUInt32LE(value, 40 + 4 * index);
  }
  return out;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: number;
  /** As in `d_type`: 4 directory, 8 file, 10 symbolic link. */
  readonly type: number;
}

/** As many entries from number `from` on as fit into `room` bytes. */
export function directoryReply(
  entries: readonly DirectoryEntry[],
  from: number,
  room: number,
): Buffer {
  const parts: Buffer[] = [];
  let used = 0;
  for (const [index, entry] of entries.slice(from).entries()) {
    const name = Buffer.from(entry.name);
    const part = Buffer.alloc(24 + Math.ceil(name.length / 8) * 8);
    if (used + part.length > room) break;
    part.writeBigUInt64LE(BigInt(entry.ino), 0);
    part.writeBigUInt64LE(BigInt(from + index + 1), 8);
    part.writeUInt32LE(name.length, 16);
    part.writeUInt32LE(entry.type, 20);
    name.copy(part, 24);
    parts.push(part);
    used += part.length;
  }
  return Buffer.concat(parts);
}

/** What SETATTR asks to change; undefined for what stays. Times in seconds. */
export interface AttributeChange {
  readonly handle: number | undefined;
  readonly size: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly atime: number | undefined;
  readonly mtime: number | undefined;
}

export function decodeSetattr(body: Buffer, nowSeconds: number): AttributeChange {
  const valid = body.readUInt32LE(0);
  const when = <T>(bit: number, value: () => T): T | undefined =>
    (valid & (1 << bit)) === 0 ? undefined : value();
  const seconds = (at: number, nsAt: number): number =>
    Number(body.readBigInt64LE(at)) + body.readUInt32LE(nsAt) / 1e9;
  return {
    mode: when(0, () => body.readUInt32LE(68) & 0o7777),
    uid: when(1, () => body.readUInt32LE(76)),
    gid: when(2, () => body.readUInt32LE(80)),
    size: when(3, () => Number(body.readBigUInt64LE(16))),
    atime: when(7, () => nowSeconds) ?? when(4, () => seconds(32, 56)),
    mtime: when(8, () => nowSeconds) ?? when(5, () => seconds(40, 60)),
    handle: when(6, () => Number(body.readBigUInt64LE(8))),
  };
}
