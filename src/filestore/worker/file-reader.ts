/**
 * Reading files of one store path by their logical names: ordinary files, links that a C storage made, and files that it
 * packed into trunk files (protocol §2.6/14, §2.6/22, §4.3). Worker thread.
 */
import { crc32 } from "node:zlib";
import { contentOf } from "#filestore/dedup/content-walk.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { diskFailure, type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { maxTrunkLinks, stepBytes } from "#filestore/worker/limits.ts";
import { type OpenedSlot, PackedReader } from "#filestore/worker/packed-read.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { crcInName, isTrunkBase, normalBaseLength } from "#model/file-id.ts";
import { type FileDescriptor, FileError, type FileStat } from "#platform/files.ts";

/** An open file. Its size is that of the moment when it was opened, whatever happens to it later. */
export interface ReadHandle {
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly modifiedSeconds: number;
  /** Where the content lies in a file of its own, from its begin on, and was not closed. */
  readonly descriptor?: FileDescriptor | undefined;
  /** Bytes read; fewer than asked for only at the end. Throws `disk-failed`. */
  read(target: Uint8Array, position: number): number;
  close(): void;
}

export interface EngineFacts {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  /** Undefined where the name does not say it: it must be computed. */
  readonly crc32: number | undefined;
}

/** Errnos of a path that leads nowhere. */
const missingCodes: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP"];

/** Sizes that readers are to see while a change is carried out, by lock key. */
export type VisibleSize = (place: FilePlace) => number | undefined;

export class FileReader {
  readonly #store: StorePath;
  readonly #packed: PackedReader;
  readonly #visibleSize: VisibleSize;

  constructor(store: StorePath, visibleSize: VisibleSize) {
    this.#store = store;
    this.#packed = new PackedReader(store);
    this.#visibleSize = visibleSize;
  }

  /** Throws `file-missing`, `file-irregular` for what is no file, `file-invalid`, `disk-failed`. */
  open(name: string): ReadHandle {
    return this.#open(this.#store.layout.place(name), 0);
  }

  /**
   * Reads a file of `sizeBytes`, as its name says, into `target`, which has room for more: without asking what it is and how large, since
   * a read that ends there has shown it. False where anything else came out: then `open` it. Throws as `open` does.
   */
  readWhole(name: string, sizeBytes: number, target: Uint8Array): boolean {
    const place = this.#store.layout.place(name);
    if (place.base.length !== normalBaseLength || target.length <= sizeBytes) return false;
    const { files } = this.#store;
    let descriptor: FileDescriptor;
    try {
      descriptor = files.open(place.path, "read");
    } catch (error) {
      throw openFailure(error, place);
    }
    try {
      return files.readOnce(descriptor, target, sizeBytes + 1) === sizeBytes;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // A directory, a pipe, or a disk that fails: `open` says which.
      return false;
    } finally {
      files.close(descriptor);
    }
  }

  /** As `open`, and without reading the content. */
  facts(name: string): EngineFacts {
    const place = this.#store.layout.place(name);
    if (isTrunkBase(place.base)) return this.#slotFacts(place);
    const own = this.statOrMissing(place, false);
    const target = own.kind === "link" ? this.statOrMissing(place, true) : own;
    if (target.kind !== "file") throw irregular(place);
    this.#requireWhole(place, target);
    return {
      sizeBytes: this.#visibleSize(place) ?? target.sizeBytes,
      modifiedSeconds: this.#modifiedOf(place, own),
      crc32: own.kind === "link" ? this.#linkedCrc(place) : crcInName(place.base),
    };
  }

  /** Of the content, in steps of at most 1 MiB. Throws as `open` does, at the first step. */
  *crc(name: string): Generator<undefined, number> {
    const handle = this.open(name);
    try {
      const buffer = Buffer.allocUnsafe(Math.min(stepBytes, Math.max(1, handle.sizeBytes)));
      let crc = 0;
      for (let position = 0; position < handle.sizeBytes; ) {
        const wanted = Math.min(buffer.length, handle.sizeBytes - position);
        const got = handle.read(buffer.subarray(0, wanted), position);
        if (got === 0) break;
        crc = crc32(buffer.subarray(0, got), crc);
        position += got;
        yield;
      }
      return crc;
    } finally {
      handle.close();
    }
  }

  /** What is there; throws `file-missing`. */
  statOrMissing(place: FilePlace, follow: boolean): FileStat {
    let stat: FileStat | undefined;
    try {
      stat = this.#store.files.stat(place.path, follow);
    } catch (error) {
      throw openFailure(error, place);
    }
    if (stat === undefined) throw missing(place);
    return stat;
  }

  #open(place: FilePlace, links: number): ReadHandle {
    if (isTrunkBase(place.base)) return this.#openPacked(place, links);
    const { files } = this.#store;
    let descriptor: FileDescriptor | undefined;
    try {
      descriptor = files.open(place.path, "read");
      const stat = files.statDescriptor(descriptor);
      if (stat.kind !== "file") throw irregular(place);
      this.#requireWhole(place, stat);
      const sizeBytes = this.#visibleSize(place) ?? stat.sizeBytes;
      const modifiedSeconds = this.#modifiedOf(place, stat);
      const handle = { descriptor, sizeBytes, modifiedSeconds, start: 0 };
      descriptor = undefined;
      return new OpenFile(this.#store, handle);
    } catch (error) {
      throw openFailure(error, place);
    } finally {
      if (descriptor !== undefined) files.close(descriptor);
    }
  }

  /** Throws `file-missing` for what a power cut may have cut off. */
  #requireWhole(place: FilePlace, { sizeBytes }: FileStat): void {
    if (this.#store.recheck?.isCutOff(place, sizeBytes) === true) throw missing(place);
  }

  #openPacked(place: FilePlace, links: number): ReadHandle {
    const opened = this.#findSlot(place);
    if (opened.content === "file") return opened.handle;
    return this.#openLinked(place, opened, links);
  }

  #openLinked(place: FilePlace, opened: OpenedSlot, links: number): ReadHandle {
    const target = this.#store.layout.find(this.#packed.linkedName(opened));
    if (target === undefined || links >= maxTrunkLinks) throw missing(place);
    return this.#open(target, links + 1);
  }

  #findSlot(place: FilePlace): OpenedSlot {
    const opened = this.#packed.open(place);
    if (opened === undefined) throw missing(place);
    return opened;
  }

  #slotFacts(place: FilePlace): EngineFacts {
    const opened = this.#findSlot(place);
    const modifiedSeconds = opened.slot.decoded.timestamp;
    if (opened.content === "file") {
      return {
        sizeBytes: opened.slot.sizeBytes,
        modifiedSeconds,
        crc32: opened.slot.decoded.crc32,
      };
    }
    const handle = this.#openLinked(place, opened, 0);
    handle.close();
    return { sizeBytes: handle.sizeBytes, modifiedSeconds, crc32: undefined };
  }

  /** Names that share a file share its time, which is that of the first of them; each name says its own. */
  #modifiedOf(place: FilePlace, stat: FileStat): number {
    const isShared = stat.links > 1 || this.#store.contents !== undefined;
    const said = isShared && stat.kind === "file" ? contentOf(place.base) : undefined;
    return said?.timestamp ?? stat.modifiedSeconds;
  }

  /** The name of a link carries a random number; that of the file which it means may carry the CRC. */
  #linkedCrc(place: FilePlace): number | undefined {
    const target = onDisk(`read ${place.name}`, () => this.#store.files.readLink(place.path));
    return crcInName(target.slice(target.lastIndexOf("/") + 1));
  }
}

class OpenFile implements ReadHandle {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  readonly #store: StorePath;
  readonly #start: number;
  #descriptor: FileDescriptor | undefined;

  constructor(
    store: StorePath,
    file: {
      readonly descriptor: FileDescriptor;
      readonly sizeBytes: number;
      readonly modifiedSeconds: number;
      /** Of the content. */
      readonly start: number;
    },
  ) {
    this.#store = store;
    this.#descriptor = file.descriptor;
    this.#start = file.start;
    this.sizeBytes = file.sizeBytes;
    this.modifiedSeconds = file.modifiedSeconds;
  }

  get descriptor(): FileDescriptor | undefined {
    return this.#start === 0 ? this.#descriptor : undefined;
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.length, this.sizeBytes - position));
    const wanted = length === target.length ? target : target.subarray(0, length);
    const descriptor = this.#descriptor;
    if (length === 0 || descriptor === undefined) return 0;
    try {
      return this.#store.files.read(descriptor, wanted, this.#start + position);
    } catch (error) {
      throw diskFailure(error, "read a file");
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#store.files.close(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function openFailure(error: unknown, place: FilePlace): FileStoreError {
  if (error instanceof FileError) {
    if (missingCodes.includes(error.code)) return missing(place);
    if (error.code === "EISDIR" || error.code === "ENXIO") return irregular(place);
  }
  return diskFailure(error, `read ${place.name}`);
}

function missing(place: FilePlace): FileStoreError {
  return fileStoreError("file-missing", `there is no file ${place.name}`);
}

function irregular(place: FilePlace): FileStoreError {
  return fileStoreError("file-irregular", `${place.name} is not a file`);
}
