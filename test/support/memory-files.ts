/**
 * A disk in memory that forgets: content and directory entries are on stable storage when they were flushed, and not before. After
 * `powerCut` only that is left, or, with a random source, also some of what was not flushed, in any combination, as real disks do.
 * One thing holds as on every file system with a journal: a rename loses no file; where the new entry is lost, the old one is there.
 */
import { gunzipSync } from "node:zlib";
import {
  type Expansion,
  type FileDescriptor,
  FileError,
  type FileStat,
  type FileSystemSpace,
  type Files,
  type OpenMode,
} from "#platform/files.ts";
import type { Random } from "#platform/random.ts";
import { FileContent } from "./file-content.ts";
import { allocatedIn, survivingContent } from "./surviving-content.ts";

interface Inode {
  readonly number: number;
  readonly kind: "file" | "directory" | "link";
  readonly content: FileContent;
  modifiedSeconds: number;
  changedSeconds: number;
  entries: Map<string, Inode>;
  durableEntries: Map<string, Inode>;
  readonly target: string;
  /** Entries that mean it. */
  links: number;
  /** Of the flush that counts. */
  flushNumber: number;
}

interface Place {
  readonly directory: Inode;
  readonly name: string;
}

/** A rename of an entry that was on stable storage. */
interface Move {
  readonly inode: Inode;
  from: Place;
  to: Place;
}

interface OpenFile {
  readonly inode: Inode;
  readonly append: boolean;
  position: number;
}

export class MemoryFiles implements Files {
  totalBytes = 1e12;
  freeBytes = 9e11;
  rotational: boolean | undefined = false;
  /** How often it was mounted. */
  mounts = 1;
  /** False: the system does not tell for how long it has been mounted. */
  tellsMounting = true;
  /** Names that a file may have. */
  maxLinks = 65_000;
  /** Unix seconds that files get. */
  nowSeconds = 1_700_000_000;
  readonly #open = new Map<FileDescriptor, OpenFile>();
  readonly #unreadable = new Map<Inode, FileError>();
  #root: Inode;
  #moves: Move[] = [];
  #lastInode = 0;
  #lastFlush = 0;
  #lastDescriptor = 2;

  constructor(...directories: readonly string[]) {
    this.#root = this.#make("directory");
    for (const path of directories) {
      this.makeDirectory(path);
      this.flushDirectory(path.slice(0, Math.max(1, path.lastIndexOf("/"))));
    }
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /** The power goes and comes back. `random` decides what of the unflushed survives; without it nothing does. */
  powerCut(random?: Random): void {
    this.#open.clear();
    this.remount();
    const moves = this.#moves;
    this.#moves = [];
    this.#forget(this.#root, random, new Set());
    const reachable = new Set<Inode>();
    collect(this.#root, reachable);
    for (const { inode, from, to } of moves) {
      const isThere = reachable.has(to.directory) && entryAt(to) === inode;
      if (entryAt(from) !== inode && !isThere) from.directory.entries.set(from.name, inode);
    }
    countLinks(this.#root, new Set());
  }

  /** Nothing is lost, but no start can tell that from a power cut. */
  remount(): void {
    this.mounts += 1;
  }

  open(path: string, mode: OpenMode): FileDescriptor {
    const found = this.#find(path, true);
    if (found?.kind === "directory" && mode !== "read") throw fail("EISDIR", path);
    if (found !== undefined && mode.startsWith("create")) throw fail("EEXIST", path);
    if (found === undefined && (mode === "read" || mode === "read-write"))
      throw fail("ENOENT", path);
    const inode = found ?? this.#enter(path, this.#make("file"));
    if (mode === "write") inode.content.truncate(0);
    this.#lastDescriptor += 1;
    this.#open.set(this.#lastDescriptor, { inode, append: mode === "append", position: 0 });
    return this.#lastDescriptor;
  }

  /** Changes a bit as rot does: no time tells. */
  rot(path: string, at: number): void {
    const inode = this.#find(path, false);
    if (inode === undefined || at >= inode.content.size) throw fail("ENOENT", path);
    inode.content.bytes[at] = (inode.content.bytes[at] ?? 0) ^ 0x04;
  }

  /** From now on reading this file fails, also under another name. */
  failReads(path: string, error: FileError): void {
    const inode = this.#find(path, false);
    if (inode === undefined) throw fail("ENOENT", path);
    this.#unreadable.set(inode, error);
  }

  close(descriptor: FileDescriptor): void {
    if (!this.#open.delete(descriptor)) throw fail("EBADF", String(descriptor));
  }

  read(descriptor: FileDescriptor, target: Uint8Array, position: number): number {
    const { inode } = this.#file(descriptor);
    const failure = this.#unreadable.get(inode);
    if (failure !== undefined) throw failure;
    if (position >= inode.content.size) return 0;
    return inode.content.bytes.copy(target, 0, position, position + target.length);
  }

  readOnce(descriptor: FileDescriptor, target: Uint8Array, length: number): number {
    return this.read(descriptor, target.subarray(0, length), 0);
  }

  write(descriptor: FileDescriptor, bytes: Uint8Array, position?: number): void {
    const file = this.#file(descriptor);
    const { content } = file.inode;
    const start = file.append ? content.size : (position ?? file.position);
    content.write(bytes, start);
    file.inode.modifiedSeconds = this.nowSeconds;
    file.inode.changedSeconds = this.nowSeconds;
    if (position === undefined) file.position = start + bytes.length;
  }

  truncate(descriptor: FileDescriptor, sizeBytes: number): void {
    const { inode } = this.#file(descriptor);
    inode.content.truncate(sizeBytes);
    inode.modifiedSeconds = this.nowSeconds;
    inode.changedSeconds = this.nowSeconds;
  }

  flush(descriptor: FileDescriptor): void {
    this.beginDescriptorFlush(descriptor)();
  }

  flushDirectory(path: string): void {
    this.beginDirectoryFlush(path)();
  }

  /** A flush that takes a while: what is there now is on stable storage once the result was called. */
  beginDescriptorFlush(descriptor: FileDescriptor): () => void {
    return this.#beginContentFlush(this.#file(descriptor).inode);
  }

  /** Instead of a flush: see `FileContent.drop`. */
  drop(descriptor: FileDescriptor, evicted: boolean): void {
    this.#file(descriptor).inode.content.drop(evicted);
  }

  /** As `beginDescriptorFlush`, of the file with this name. */
  beginFlush(path: string): () => void {
    const inode = this.#find(path, true);
    if (inode === undefined) throw fail("ENOENT", path);
    return this.#beginContentFlush(inode);
  }

  /** As before, of a directory's entries. */
  beginDirectoryFlush(path: string): () => void {
    const inode = this.#directory(path);
    const entries = new Map(inode.entries);
    return this.#flushOf(inode, () => {
      inode.durableEntries = entries;
    });
  }

  stat(path: string, follow: boolean): FileStat | undefined {
    const inode = this.#find(path, follow);
    return inode === undefined ? undefined : fileStat(inode);
  }

  statDescriptor(descriptor: FileDescriptor): FileStat {
    return fileStat(this.#file(descriptor).inode);
  }

  setModified(path: string, seconds: number): void {
    const inode = this.#find(path, true);
    if (inode === undefined) throw fail("ENOENT", path);
    inode.modifiedSeconds = seconds;
    inode.changedSeconds = this.nowSeconds;
  }

  rename(from: string, to: string): void {
    const inode = this.#find(from, false);
    if (inode === undefined) throw fail("ENOENT", from);
    const replaced = this.#find(to, false);
    // Two names of one file: POSIX does nothing.
    if (replaced === inode) return;
    if (replaced !== undefined && replaced.entries.size > 0) throw fail("ENOTEMPTY", to);
    const target = this.#place(to);
    if (replaced !== undefined) this.#unlink(target, replaced);
    const source = this.#place(from);
    this.#noteMove(inode, source, target);
    inode.changedSeconds = this.nowSeconds;
    source.directory.entries.delete(source.name);
    target.directory.entries.set(target.name, inode);
  }

  remove(path: string): boolean {
    const inode = this.#find(path, false);
    if (inode === undefined) return false;
    if (inode.kind === "directory") throw fail("EISDIR", path);
    this.#unlink(this.#place(path), inode);
    return true;
  }

  removeDirectory(path: string): void {
    if (this.#directory(path).entries.size > 0) throw fail("ENOTEMPTY", path);
    this.#directory(parentOf(path)).entries.delete(nameOf(path));
  }

  makeDirectory(path: string): void {
    if (this.#find(path, false) !== undefined) throw fail("EEXIST", path);
    this.#enter(path, this.#make("directory"));
  }

  list(path: string): string[] | undefined {
    const inode = this.#find(path, true);
    return inode === undefined ? undefined : [...inode.entries.keys()];
  }

  makeLink(path: string, target: string): void {
    if (this.#find(path, false) !== undefined) throw fail("EEXIST", path);
    this.#enter(path, this.#make("link", target));
  }

  makeHardLink(path: string, existing: string): void {
    const inode = this.#find(existing, false);
    if (inode === undefined) throw fail("ENOENT", existing);
    if (inode.kind === "directory") throw fail("EPERM", existing);
    if (this.#find(path, false) !== undefined) throw fail("EEXIST", path);
    if (inode.links >= this.maxLinks) throw fail("EMLINK", existing);
    this.#enter(path, inode);
  }

  readLink(path: string): string {
    return this.#find(path, false)?.target ?? "";
  }

  space(_path: string): FileSystemSpace {
    return { totalBytes: this.totalBytes, freeBytes: this.freeBytes };
  }

  isRotational(_path: string): boolean | undefined {
    return this.rotational;
  }

  mounting(_path: string): string | undefined {
    return this.tellsMounting ? `memory:${this.mounts}` : undefined;
  }

  /** In steps of 64 KiB. */
  expand(from: string, to: string, maxBytes: number): Expansion {
    const inode = this.#find(from, true);
    const target = this.#enter(to, this.#make("file"));
    let whole: Uint8Array | undefined;
    let done = 0;
    let ended = false;
    const stop = (): void => {
      if (!ended) this.remove(to);
      ended = true;
    };
    const expanded = (): Uint8Array => {
      try {
        if (inode === undefined) throw fail("ENOENT", from);
        return gunzipSync(inode.content.bytes);
      } catch (error) {
        throw error instanceof FileError ? error : fail("EINVAL", from);
      }
    };
    const step = (): boolean => {
      if (ended) return true;
      whole ??= expanded();
      if (whole.length > maxBytes) throw fail("EFBIG", from);
      done = Math.min(done + 64 * 1024, whole.length);
      target.content.write(whole.subarray(target.content.size, done), target.content.size);
      ended = done === whole.length;
      return ended;
    };
    return { step, stop };
  }

  claim(_path: string): void {}

  #beginContentFlush(inode: Inode): () => void {
    return this.#flushOf(inode, inode.content.beginFlush());
  }

  /** One that was begun later and has ended counts for more. */
  #flushOf(inode: Inode, carryOut: () => void): () => void {
    this.#lastFlush += 1;
    const number = this.#lastFlush;
    return () => {
      if (inode.flushNumber > number) return;
      inode.flushNumber = number;
      carryOut();
    };
  }

  #forget(inode: Inode, random: Random | undefined, seen: Set<Inode>): void {
    if (seen.has(inode)) return;
    seen.add(inode);
    if (inode.kind === "directory") {
      inode.entries = survivingEntries(inode, random);
      inode.durableEntries = new Map(inode.entries);
    } else {
      if (!inode.content.isDurable) inode.content.settle(survivingContent(inode.content, random));
    }
    for (const child of inode.entries.values()) this.#forget(child, random, seen);
  }

  #make(kind: Inode["kind"], target = ""): Inode {
    this.#lastInode += 1;
    return {
      number: this.#lastInode,
      kind,
      content: new FileContent(),
      modifiedSeconds: this.nowSeconds,
      changedSeconds: this.nowSeconds,
      entries: new Map(),
      durableEntries: new Map(),
      target,
      links: 0,
      flushNumber: 0,
    };
  }

  #enter(path: string, inode: Inode): Inode {
    this.#directory(parentOf(path)).entries.set(nameOf(path), inode);
    inode.links += 1;
    return inode;
  }

  #place(path: string): Place {
    return { directory: this.#directory(parentOf(path)), name: nameOf(path) };
  }

  #unlink(place: Place, inode: Inode): void {
    place.directory.entries.delete(place.name);
    inode.links -= 1;
    this.#moves = this.#moves.filter((move) => move.inode !== inode || !isSame(move.to, place));
  }

  /** What a journal brings back where the new entry is lost: the last one that was on stable storage. */
  #noteMove(inode: Inode, from: Place, to: Place): void {
    const durable = from.directory.durableEntries.get(from.name) === inode;
    const earlier = this.#moves.find((move) => move.inode === inode && isSame(move.to, from));
    if (earlier !== undefined) {
      if (durable) earlier.from = from;
      earlier.to = to;
    } else if (durable) {
      this.#moves.push({ inode, from, to });
    }
  }

  #file(descriptor: FileDescriptor): OpenFile {
    const file = this.#open.get(descriptor);
    if (file === undefined) throw fail("EBADF", String(descriptor));
    return file;
  }

  #directory(path: string): Inode {
    const inode = this.#find(path, true);
    if (inode === undefined) throw fail("ENOENT", path);
    if (inode.kind !== "directory") throw fail("ENOTDIR", path);
    return inode;
  }

  #find(path: string, follow: boolean): Inode | undefined {
    let inode: Inode | undefined = this.#root;
    for (const name of path.split("/")) if (name !== "") inode = inode?.entries.get(name);
    return follow && inode?.kind === "link" ? this.#find(inode.target, true) : inode;
  }
}

function collect(inode: Inode, into: Set<Inode>): void {
  if (into.has(inode)) return;
  into.add(inode);
  for (const child of inode.entries.values()) collect(child, into);
}

function entryAt(place: Place): Inode | undefined {
  return place.directory.entries.get(place.name);
}

function isSame(one: Place, other: Place): boolean {
  return one.directory === other.directory && one.name === other.name;
}

function countLinks(inode: Inode, seen: Set<Inode>): void {
  if (!seen.has(inode)) inode.links = 0;
  seen.add(inode);
  for (const child of inode.entries.values()) {
    countLinks(child, seen);
    child.links += 1;
  }
}

function survivingEntries(inode: Inode, random: Random | undefined): Map<string, Inode> {
  const entries = new Map(inode.durableEntries);
  if (random === undefined) return entries;
  for (const name of new Set([...inode.entries.keys(), ...inode.durableEntries.keys()])) {
    if (random.below(2) === 0) continue;
    const present = inode.entries.get(name);
    if (present === undefined) entries.delete(name);
    else entries.set(name, present);
  }
  return entries;
}

function fileStat(inode: Inode): FileStat {
  const { kind, number, modifiedSeconds, changedSeconds, content, links } = inode;
  return {
    kind,
    sizeBytes: content.size,
    get allocatedBytes() {
      return allocatedIn(content.bytes);
    },
    modifiedSeconds,
    changedSeconds,
    device: 1,
    inode: number,
    links,
  };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function fail(code: string, path: string): FileError {
  return new FileError(code, `${code}: ${path}`, path);
}
