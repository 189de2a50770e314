/**
 * A file system that passes every call on to a directory, with synchronous calls in the thread of the FUSE server. Flushes are
 * answered at once and reach no disk: its tests fail and count them. Where a log is given, writes and flushes are recorded in it before
 * they are answered.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { NodeTable } from "./node-table.ts";
import {
  type AttributeChange,
  attributeReply,
  type DirectoryEntry,
  decodeSetattr,
  directoryReply,
  entryReply,
  names,
  openReply,
  type Request,
  statfsReply,
  writeReply,
} from "./wire.ts";
import type { WriteLog } from "./write-log.ts";

/** Offsets come from the kernel; O_APPEND would make the system ignore them, O_DIRECT asks for aligned buffers. */
const keptFlags = ~(fs.constants.O_APPEND | fs.constants.O_DIRECT | fs.constants.O_NOATIME);
const nothing = Buffer.alloc(0);
const noEntry = 2;
const notImplemented = 38;

interface OpenFile {
  readonly node: number;
  readonly descriptor: number;
}

/** Bytes before a write that is not flushed yet. */
interface Undo {
  readonly offset: number;
  readonly before: Buffer;
}

export class FileSystemError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

export class PassThrough {
  readonly #directory: string;
  readonly #log: WriteLog | undefined;
  readonly #keepUndo: boolean;
  readonly #nodes = new NodeTable();
  readonly #files = new Map<number, OpenFile>();
  readonly #listings = new Map<number, readonly DirectoryEntry[]>();
  /** Where the log stood when a flush was asked for that is not answered yet. */
  readonly #flushesFrom = new Map<bigint, number>();
  readonly #undo = new Map<number, Undo[]>();
  #nextHandle = 1;

  constructor(
    directory: string,
    options: { readonly log?: WriteLog | undefined; readonly keepUndo?: boolean } = {},
  ) {
    this.#directory = directory;
    this.#log = options.log;
    this.#keepUndo = options.keepUndo ?? false;
  }

  /** For faults: where a call goes, the new name for those that make one. */
  pathOf(request: Request): string {
    const path = this.#nodes.path(request.node) ?? "";
    const at = nameOffsets[request.operation ?? "init"];
    if (at === undefined) return path;
    const [name = ""] = names(request.body, at);
    return path === "" ? name : `${path}/${name}`;
  }

  /** To be called when a request comes, before anything delays it. */
  arrived(request: Request): void {
    if (this.#log === undefined || request.operation !== "fsync") return;
    this.#flushesFrom.set(request.unique, this.#log.position);
  }

  /** The body of the answer; undefined where the protocol has no answer. Throws system errors and FileSystemError. */
  perform(request: Request): Uint8Array | undefined {
    const { node, body } = request;
    switch (request.operation) {
      case "forget":
        this.#nodes.forget(node, Number(body.readBigUInt64LE(0)));
        return undefined;
      case "batch-forget":
        this.#forgetMany(body);
        return undefined;
      case "interrupt":
        return undefined;
      case "getattr":
        return attributeReply(this.#stat(node));
      case "setattr":
        return this.#setattr(node, decodeSetattr(body, Date.now() / 1000));
      case "statfs":
        return statfsReply(fs.statfsSync(this.#directory));
      case "access":
      case "flush":
      case "fsyncdir":
      case "destroy":
        return nothing;
      case "readlink":
        return Buffer.from(fs.readlinkSync(this.#real(node)));
      default:
        return this.#onNames(request) ?? this.#onHandles(request);
    }
  }

  /** Puts back what was there before the writes since the file's last good flush. */
  lose(request: Request): void {
    if (request.operation !== "fsync") return;
    const file = this.#file(request.body);
    const again = reopened(file.descriptor, "r+");
    for (const { offset, before } of (this.#undo.get(file.node) ?? []).toReversed()) {
      fs.writeSync(again, before, 0, before.length, offset);
    }
    fs.closeSync(again);
    this.#undo.delete(file.node);
  }

  #onNames(request: Request): Uint8Array | undefined {
    const { node, body, operation } = request;
    const [name = "", second = ""] = names(body, nameOffsets[operation ?? "init"] ?? 0);
    switch (operation) {
      case "lookup":
        return this.#entry(node, name);
      case "mkdir":
        fs.mkdirSync(this.#real(node, name), body.readUInt32LE(0) & 0o7777);
        return this.#entry(node, name);
      case "mknod":
        fs.writeFileSync(this.#real(node, name), "", {
          flag: "wx",
          mode: body.readUInt32LE(0) & 0o7777,
        });
        return this.#entry(node, name);
      case "symlink":
        fs.symlinkSync(second, this.#real(node, name));
        return this.#entry(node, name);
      case "link":
        fs.linkSync(this.#real(Number(body.readBigUInt64LE(0))), this.#real(node, name));
        return this.#entry(node, name);
      case "unlink":
        fs.unlinkSync(this.#real(node, name));
        this.#nodes.remove(node, name);
        return nothing;
      case "rmdir":
        fs.rmdirSync(this.#real(node, name));
        this.#nodes.remove(node, name);
        return nothing;
      case "rename":
      case "rename2":
        return this.#rename(request, name, second);
      case "create": {
        const flags = (body.readUInt32LE(0) & keptFlags) | fs.constants.O_CREAT;
        const mode = body.readUInt32LE(4) & 0o7777;
        const descriptor = fs.openSync(this.#real(node, name), flags, mode);
        const entry = this.#entry(node, name);
        const made = Number(entry.readBigUInt64LE(0));
        return Buffer.concat([entry, this.#opened(made, descriptor)]);
      }
      default:
        return undefined;
    }
  }

  #onHandles(request: Request): Uint8Array {
    const { node, body } = request;
    switch (request.operation) {
      case "open":
        return this.#open(node, body.readUInt32LE(0));
      case "read": {
        const bytes = Buffer.allocUnsafe(body.readUInt32LE(16));
        const { descriptor } = this.#file(body);
        const at = Number(body.readBigUInt64LE(8));
        return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, bytes.length, at));
      }
      case "write":
        return this.#write(body);
      case "fsync":
        this.#undo.delete(this.#file(body).node);
        this.#log?.flush(this.#flushesFrom.get(request.unique) ?? 0);
        this.#flushesFrom.delete(request.unique);
        return nothing;
      case "release": {
        const file = this.#file(body);
        fs.closeSync(file.descriptor);
        this.#files.delete(Number(body.readBigUInt64LE(0)));
        return nothing;
      }
      case "opendir":
        return this.#openDirectory(node);
      case "readdir": {
        const listing = this.#listings.get(Number(body.readBigUInt64LE(0))) ?? [];
        return directoryReply(listing, Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
      }
      case "releasedir":
        this.#listings.delete(Number(body.readBigUInt64LE(0)));
        return nothing;
      default:
        throw new FileSystemError(notImplemented);
    }
  }

  #write(body: Buffer): Buffer {
    const { descriptor, node } = this.#file(body);
    const offset = Number(body.readBigUInt64LE(8));
    const bytes = body.subarray(40, 40 + body.readUInt32LE(16));
    if (this.#keepUndo) this.#remember(node, descriptor, { offset, length: bytes.length });
    const written = fs.writeSync(descriptor, bytes, 0, bytes.length, offset);
    this.#log?.write(offset, bytes.subarray(0, written));
    return writeReply(written);
  }

  /** What lay there; beyond the end that is zeros, which stay as a file's length does. */
  #remember(
    node: number,
    descriptor: number,
    at: { readonly offset: number; readonly length: number },
  ): void {
    const before = Buffer.alloc(at.length);
    const again = reopened(descriptor, "r");
    fs.readSync(again, before, 0, at.length, at.offset);
    fs.closeSync(again);
    const list = this.#undo.get(node) ?? [];
    list.push({ offset: at.offset, before });
    this.#undo.set(node, list);
  }

  #rename({ node, body, operation }: Request, from: string, to: string): Uint8Array {
    // Only the plain rename; NOREPLACE and EXCHANGE are not asked for by Node.
    if (operation === "rename2" && body.readUInt32LE(8) !== 0) throw new FileSystemError(22);
    const target = Number(body.readBigUInt64LE(0));
    fs.renameSync(this.#real(node, from), this.#real(target, to));
    this.#nodes.rename([node, from], [target, to]);
    return nothing;
  }

  #setattr(node: number, change: AttributeChange): Buffer {
    const file = change.handle === undefined ? undefined : this.#files.get(change.handle);
    const target = file === undefined ? this.#place(node) : `/proc/self/fd/${file.descriptor}`;
    const before = fs.statSync(target);
    if (change.size !== undefined) fs.truncateSync(target, change.size);
    if (change.mode !== undefined) fs.chmodSync(target, change.mode);
    if (change.uid !== undefined || change.gid !== undefined) {
      fs.chownSync(target, change.uid ?? before.uid, change.gid ?? before.gid);
    }
    if (change.atime !== undefined || change.mtime !== undefined) {
      const { atimeMs, mtimeMs } = before;
      fs.utimesSync(target, change.atime ?? atimeMs / 1000, change.mtime ?? mtimeMs / 1000);
    }
    return attributeReply(this.#stat(node));
  }

  #open(node: number, flags: number): Buffer {
    return this.#opened(node, fs.openSync(this.#place(node), flags & keptFlags));
  }

  #opened(node: number, descriptor: number): Buffer {
    const handle = this.#handle();
    this.#files.set(handle, { node, descriptor });
    return openReply(handle, "file");
  }

  #openDirectory(node: number): Buffer {
    const handle = this.#handle();
    const listed = fs.readdirSync(this.#real(node), { withFileTypes: true });
    const entries = listed.map((each, index): DirectoryEntry => {
      const type = each.isDirectory() ? 4 : each.isSymbolicLink() ? 10 : 8;
      return { name: each.name, ino: index + 2, type };
    });
    this.#listings.set(handle, entries);
    return openReply(handle, "directory");
  }

  #entry(parent: number, name: string): Buffer {
    const stat = fs.lstatSync(this.#real(parent, name), { bigint: true });
    return entryReply(this.#nodes.lookup(parent, name), stat);
  }

  #stat(node: number): fs.BigIntStats {
    const path = this.#nodes.path(node);
    if (path === undefined) return fs.statSync(this.#place(node), { bigint: true });
    return fs.lstatSync(join(this.#directory, path), { bigint: true });
  }

  #real(node: number, name = ""): string {
    const path = this.#nodes.path(node);
    if (path === undefined) throw new FileSystemError(noEntry);
    return join(this.#directory, path, name);
  }

  /** A file that was removed is still there for those who have it open. */
  #place(node: number): string {
    if (this.#nodes.path(node) !== undefined) return this.#real(node);
    for (const file of this.#files.values()) {
      if (file.node === node) return `/proc/self/fd/${file.descriptor}`;
    }
    throw new FileSystemError(noEntry);
  }

  #file(body: Buffer): OpenFile {
    const found = this.#files.get(Number(body.readBigUInt64LE(0)));
    if (found === undefined) throw new FileSystemError(9);
    return found;
  }

  #handle(): number {
    this.#nextHandle += 1;
    return this.#nextHandle;
  }

  #forgetMany(body: Buffer): void {
    for (let at = 8; at + 16 <= body.length; at += 16) {
      this.#nodes.forget(Number(body.readBigUInt64LE(at)), Number(body.readBigUInt64LE(at + 8)));
    }
  }
}

/** Users open files for reading alone or for writing alone, under names that may be gone by now. */
function reopened(descriptor: number, flags: string): number {
  return fs.openSync(`/proc/self/fd/${descriptor}`, flags);
}

/** Where the names stand in the bodies of those calls that carry some. */
const nameOffsets: Readonly<Partial<Record<NonNullable<Request["operation"]>, number>>> = {
  lookup: 0,
  unlink: 0,
  rmdir: 0,
  symlink: 0,
  mkdir: 8,
  link: 8,
  rename: 8,
  mknod: 16,
  rename2: 16,
  create: 16,
};
