/**
 * Stores the files of a store path that no node serves in the own group, one after the other, and keeps the list of what each is called now.
 * What was interrupted goes on without storing anything twice: before files are stored, the list says which ones, and who goes on is told
 * what has been stored since. In a process of its own.
 */
import { crc32 } from "node:zlib";
import { foreignDiskFiles } from "#filestore/import/foreign-disk-files.ts";
import {
  type ForeignFile,
  type ForeignMaster,
  type ForeignStep,
  foreignFiles,
} from "#filestore/import/foreign-files.ts";
import { importBatch, importPieceBytes, maxLeftTold } from "#filestore/import/import-limits.ts";
import {
  formatLine,
  type ImportedSoFar,
  type ListLine,
  type OldNames,
} from "#filestore/import/import-list.ts";
import { isDiskError } from "#filestore/scrub/read-content.ts";
import { maxMetadataBytes } from "#filestore/worker/limits.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import { FileError, type Files } from "#platform/files.ts";

/** Where files go. Names are logical ones, without group. */
export interface ImportTarget {
  store(kind: "normal" | "appender", extension: string, content: ByteSource): Promise<string>;
  /** Resolves to the name also where it is there already. */
  storeSlave(
    slave: { readonly master: string; readonly prefix: string; readonly extension: string },
    content: ByteSource,
  ): Promise<string>;
  setMetadata(name: string, text: Uint8Array): Promise<void>;
  /** Of the content. */
  facts(name: string): Promise<{ readonly sizeBytes: number; readonly crc32: number }>;
  remove(name: string): Promise<void>;
}

export interface ImportProgress {
  files: number;
  bytes: number;
  left: number;
  /** The first of them, with words. */
  readonly leftNames: string[];
}

export interface ImportParts {
  readonly directory: string;
  /** Nothing outside of it is read, and no link below it is followed: where the disk is mounted, or `directory`. */
  readonly root: string;
  readonly index: number;
  readonly files: Files;
  readonly clock: Clock;
  readonly old: OldNames;
  readonly soFar: ImportedSoFar;
  /** Names that this node made since what is begun was begun. */
  readonly candidates: readonly string[];
  readonly target: ImportTarget;
  /** Appends to the list; `flushed`: it is on stable storage when this returns. */
  readonly note: (text: string, flushed: boolean) => void;
  readonly progress: ImportProgress;
  readonly signal: AbortSignal;
}

/** Rejects with the signal's reason, with what the target rejects with, and with `store-path-unfit`. */
export async function importStorePath(parts: ImportParts): Promise<void> {
  await new Import(parts).run();
}

class Import {
  readonly #parts: ImportParts;
  readonly #files: Files;
  /** By key, and of packed files by slot. */
  readonly #names: Map<string, string>;
  readonly #candidates: Set<string>;
  #batch: ForeignStep[] = [];
  /** Names of the part that is under way, and whether the disk gave all of it. */
  #partKeys: string[] = [];
  #isWhole = true;
  #hasUnread = false;

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#files = foreignDiskFiles(parts.files, parts.root);
    this.#names = parts.soFar.names;
    const { recent } = parts.soFar;
    this.#candidates = new Set(parts.candidates.filter((name) => !recent.has(name)));
  }

  async run(): Promise<void> {
    const { directory, index, soFar } = this.#parts;
    for (const step of foreignFiles({ directory, index, files: this.#files }, soFar.parts)) {
      this.#batch.push(step);
      if (this.#batch.length >= importBatch || step.kind === "part") await this.#storeBatch();
    }
    await this.#storeBatch();
  }

  async #storeBatch(): Promise<void> {
    const batch = this.#batch.filter((step) => step.kind !== "file" || !this.#isDone(step.file));
    this.#batch = [];
    const masters = batch.flatMap((step) => {
      const isMaster = step.kind === "file" && isMasterFile(step.file);
      return isMaster && !this.#parts.soFar.begun.has(step.file.key) ? [step.file] : [];
    });
    const atSeconds = nowSeconds(this.#parts.clock);
    const begun = masters.map((file) =>
      this.#line({ kind: "begun", file: begunOf(file, atSeconds) }),
    );
    if (begun.length > 0) this.#parts.note(begun.join(""), true);
    for (const step of batch) {
      this.#parts.signal.throwIfAborted();
      if (step.kind === "file") await this.#store(step.file);
      else if (step.kind === "left") this.#leave(step.key, step.why);
      else if (step.kind === "unread") this.#passOver(step.key, step.why);
      else this.#endPart(step.part);
    }
    // What is not there any more when the power comes back would be stored twice.
    if (batch.length > 0) this.#parts.note("", true);
  }

  #isDone(file: ForeignFile): boolean {
    const slot = isMasterFile(file) ? file.slot : undefined;
    return this.#names.has(slot ?? file.key) || this.#parts.soFar.left.has(file.key);
  }

  async #store(file: ForeignFile): Promise<void> {
    try {
      if (isMasterFile(file)) {
        await this.#storeMaster(file);
        return;
      }
      const master = this.#names.get(file.kind === "slave" ? file.master : file.owner);
      if (master === undefined) {
        const why = "the file that it belongs to was not imported";
        if (this.#hasUnread) this.#passOver(file.key, why);
        else this.#leave(file.key, why);
        return;
      }
      if (file.kind === "metadata") {
        if (file.content.sizeBytes > maxMetadataBytes) {
          this.#leave(file.key, "it is larger than metadata can be");
          return;
        }
        await this.#parts.target.setMetadata(master, this.#whole(file));
        this.#took(file, `${master}-m`);
        return;
      }
      const { prefix, extension } = file;
      const source = this.#source(file);
      const name = await this.#parts.target.storeSlave({ master, prefix, extension }, source);
      this.#took(file, name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // What was listed a moment ago and is gone: the whole disk is.
      const isOfFile = isDiskError(error) || error.code === "EACCES" || error.code === "ELOOP";
      if (!isOfFile) throw error;
      this.#passOver(file.key, `the disk does not give it (${error.code})`);
    }
  }

  async #storeMaster(file: ForeignMaster): Promise<void> {
    const { target, soFar } = this.#parts;
    const stored = soFar.begun.has(file.key) ? await this.#storedBefore(file) : undefined;
    if (stored !== undefined) {
      this.#took(file, stored);
      return;
    }
    const { crc32: told, content } = file;
    const wrong = "its content is not what its name says";
    // What is in memory as a whole is looked at first.
    const isSmall = content.sizeBytes <= importPieceBytes;
    const source = this.#source(file);
    if (isSmall && told !== undefined && crc32(this.#whole(file)) !== told) {
      this.#leave(file.key, wrong);
      return;
    }
    const name = await target.store(file.kind, file.extension, source);
    if (told !== undefined && source.crc32 !== told) {
      await target.remove(name);
      this.#leave(file.key, wrong);
      return;
    }
    this.#took(file, name);
  }

  /** What was stored when it was interrupted, and not noted any more. */
  async #storedBefore(file: ForeignMaster): Promise<string | undefined> {
    const begun = this.#parts.soFar.begun.get(file.key);
    const { sizeBytes } = file.content;
    for (const name of this.#candidates) {
      const decoded = decodeBase(parseRemoteFilename(name)?.base ?? "");
      if (begun === undefined || decoded === undefined) continue;
      const isAppender = file.kind === "appender";
      if (decoded.isAppender !== isAppender || decoded.extension !== file.extension) continue;
      if (decoded.timestamp < begun.atSeconds) continue;
      if (!isAppender && decoded.size !== sizeBytes) continue;
      const crc = file.crc32 ?? this.#crcOf(file);
      if (!isAppender && decoded.crc32 !== crc) continue;
      const facts = await this.#parts.target.facts(name).catch(() => undefined);
      if (facts?.sizeBytes !== sizeBytes || facts.crc32 >>> 0 !== crc) continue;
      return name;
    }
    return undefined;
  }

  #took(file: ForeignFile, name: string): void {
    const { progress } = this.#parts;
    const slot = isMasterFile(file) ? file.slot : undefined;
    this.#names.set(slot ?? file.key, name);
    if (slot === undefined) this.#partKeys.push(file.key);
    this.#candidates.delete(name);
    progress.files += 1;
    progress.bytes += file.content.sizeBytes;
    this.#parts.note(this.#line({ kind: "file", key: file.key, name }), false);
  }

  #leave(key: string, why: string): void {
    if (this.#parts.soFar.left.has(key)) return;
    this.#count(key, why);
    this.#parts.note(this.#line({ kind: "left", key, why }), false);
  }

  /** A disk that was pulled says the same as one that rots: only who comes again knows. */
  #passOver(key: string, why: string): void {
    this.#isWhole = false;
    this.#hasUnread = true;
    this.#count(key, why);
    this.#parts.note(this.#line({ kind: "unread", key, why }), false);
  }

  #count(key: string, why: string): void {
    const { progress } = this.#parts;
    progress.left += 1;
    if (progress.leftNames.length < maxLeftTold) progress.leftNames.push(`${key}: ${why}`);
  }

  #endPart(part: string): void {
    if (this.#isWhole) this.#parts.note(this.#line({ kind: "part", part }), true);
    for (const key of this.#partKeys) this.#names.delete(key);
    this.#partKeys = [];
    this.#isWhole = true;
  }

  #line(line: ListLine): string {
    return formatLine(line, this.#parts.old);
  }

  #whole(file: ForeignFile): Buffer {
    const { path, offset, sizeBytes } = file.content;
    const target = Buffer.alloc(sizeBytes);
    const descriptor = this.#files.open(path, "read");
    try {
      const got = this.#files.read(descriptor, target, offset);
      if (got < sizeBytes) throw new FileError("EIO", `${path} is shorter than it was`, path);
      return target;
    } finally {
      this.#files.close(descriptor);
    }
  }

  #crcOf(file: ForeignFile): number {
    const { path, offset, sizeBytes } = file.content;
    const descriptor = this.#files.open(path, "read");
    const piece = Buffer.alloc(importPieceBytes);
    let crc = 0;
    try {
      for (let at = 0; at < sizeBytes; ) {
        const got = this.#files.read(descriptor, piece.subarray(0, sizeBytes - at), offset + at);
        if (got === 0) throw new FileError("EIO", `${path} is shorter than it was`, path);
        crc = crc32(piece.subarray(0, got), crc);
        at += got;
      }
      return crc;
    } finally {
      this.#files.close(descriptor);
    }
  }

  #source(file: ForeignFile): ForeignSource {
    return new ForeignSource(this.#files, file.content);
  }
}

/** Reads as it is taken, and knows what it read. */
class ForeignSource implements ByteSource {
  readonly length: number;
  crc32 = 0;
  readonly #files: Files;
  readonly #content: ForeignFile["content"];
  #descriptor: number | undefined;
  #at = 0;

  constructor(files: Files, content: ForeignFile["content"]) {
    this.#files = files;
    this.#content = content;
    this.length = content.sizeBytes;
  }

  async next(): Promise<Piece | undefined> {
    const { path, offset, sizeBytes } = this.#content;
    if (this.#at >= sizeBytes) {
      this.close();
      return undefined;
    }
    this.#descriptor ??= this.#files.open(path, "read");
    const piece = Buffer.allocUnsafe(Math.min(importPieceBytes, sizeBytes - this.#at));
    const got = this.#files.read(this.#descriptor, piece, offset + this.#at);
    if (got === 0) throw new FileError("EIO", `${path} is shorter than it was`, path);
    const bytes = piece.subarray(0, got);
    this.#at += got;
    this.crc32 = crc32(bytes, this.crc32);
    return { bytes, room: 0, release: () => {} };
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#files.close(this.#descriptor);
    this.#descriptor = undefined;
    this.#at = this.length;
  }
}

function isMasterFile(file: ForeignFile): file is ForeignMaster {
  return file.kind === "normal" || file.kind === "appender";
}

function begunOf(file: ForeignMaster, atSeconds: number) {
  const { key, kind, crc32: told, extension, content } = file;
  return { key, kind, sizeBytes: content.sizeBytes, crc32: told, extension, atSeconds };
}
