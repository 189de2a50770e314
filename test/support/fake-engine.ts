/**
 * A store path in memory that does what the real engine promises, and fails where the test says so. Counts what is open, so
 * that a test sees what was left behind.
 */
import { crc32 } from "node:zlib";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { FlushSteps } from "#filestore/worker/flush-steps.ts";
import type { LinkRequest } from "#filestore/worker/link-preparer.ts";
import type { StorePathEngine, WriteTarget } from "#filestore/worker/store-path-engine.ts";
import type { FileSource } from "#model/file-id.ts";

export interface FakeChange {
  readonly name: string;
  readonly apply: () => string | undefined;
  readonly longSteps: number;
  error?: unknown;
  result?: string;
}

interface FakeFile {
  content: Buffer;
  metadata: Buffer | undefined;
}

export class FakeEngine {
  readonly files = new Map<string, FakeFile>();
  readonly locked = new Set<string>();
  readonly background = { turn: (): undefined => undefined };
  readonly scrub = { noteForeground: (): void => {} };
  readonly commits: string[][] = [];
  openWrites = 0;
  openReads = 0;
  /** Files that are read have no descriptor of their own. */
  isPacked = false;
  /** Contents of files that are open for reading. */
  readonly descriptors = new Map<number, Buffer>();
  closed = false;
  /** What its end fails with. */
  closeFailure: Error | undefined;
  source: FileSource | undefined;
  totalBytes = 1e12;
  freeBytes = 9e11;
  /** Thrown by the write of a piece when so many bytes of a payload have come. */
  failWritesAt = Number.POSITIVE_INFINITY;
  /** Thrown by the next commit's changes of these names; "*" is all. */
  readonly failCommits = new Set<string>();
  failReads = false;
  failChecks = false;
  /** Whether each check was to be suspicious. */
  readonly checks: boolean[] = [];
  /** Steps that a change, a CRC or a regeneration takes. */
  longSteps = 0;
  /** An empty binlog, and no marks. */
  readonly replication = {
    end: { index: 0, offset: 0 },
    marks: { read: (): undefined => undefined, write: () => {}, remove: () => {} },
    readBinlog: (from: BinlogPosition) => {
      const value = { next: from, length: 0, atEnd: true };
      return { next: () => ({ done: true, value }) };
    },
  };
  /** No trunk binlog. */
  readonly trunkBinlog = {
    read: (): undefined => undefined,
    owed: { append: () => {}, replace: () => {} },
  };
  /** False: its file system was unmounted. */
  isPresent = true;
  #nextName = 1;
  #nextDescriptor = 100;

  isLocked(name: string): boolean {
    return this.locked.has(name);
  }

  startWrite(target: WriteTarget, length: number) {
    if (length > this.freeBytes) throw fileStoreError("store-full", "no room");
    const name = this.#targetName(target);
    const isChange = target.kind === "append" || target.kind === "modify";
    if (isChange) {
      this.#file(name);
      this.#lock(name);
    }
    const pieces: Buffer[] = [];
    let size = 0;
    let ended = false;
    this.openWrites += 1;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.openWrites -= 1;
    };
    return {
      write: (bytes: Uint8Array): void => {
        if (ended) throw new Error("write after the end");
        size += bytes.length;
        if (size >= this.failWritesAt) throw fileStoreError("store-full", "the disk is full");
        pieces.push(Buffer.from(bytes));
      },
      held: () =>
        "hold" in target && target.hold === true
          ? { hash: Buffer.from("held"), sizeBytes: size, crc32: 7 }
          : undefined,
      finish: (): FakeChange => {
        end();
        const body = Buffer.concat(pieces);
        const apply = (): string => this.#apply(target, name, body);
        return { name, apply, longSteps: isChange ? this.longSteps : 0 };
      },
      abort: (): void => {
        end();
        if (isChange) this.locked.delete(name);
      },
    };
  }

  prepareRemove(name: string): FakeChange {
    this.#file(name);
    this.#lock(name);
    const apply = (): undefined => {
      this.files.delete(name);
    };
    return { name, apply, longSteps: 0 };
  }

  prepareTruncate(name: string, sizeBytes: number): FakeChange {
    const file = this.#file(name);
    this.#lock(name);
    const apply = (): undefined => {
      const next = Buffer.alloc(sizeBytes);
      file.content.copy(next);
      file.content = next;
    };
    return { name, apply, longSteps: 0 };
  }

  /** The name is locked at once. */
  regenerate(name: string): Generator<undefined, FakeChange> {
    const file = this.#file(name);
    this.#lock(name);
    return this.#regenerate(name, file);
  }

  *#regenerate(name: string, file: FakeFile): Generator<undefined, FakeChange> {
    try {
      for (let step = 0; step < this.longSteps; step += 1) yield;
    } catch (error) {
      this.locked.delete(name);
      throw error;
    }
    const apply = (): string => {
      const next = this.#newName("");
      this.files.delete(name);
      this.files.set(next, file);
      return next;
    };
    return { name, apply, longSteps: 0 };
  }

  *link({ source }: LinkRequest): Generator<undefined, FakeChange> {
    const file = this.#file(source);
    for (let step = 0; step < this.longSteps; step += 1) yield;
    const name = this.#newName("");
    const apply = (): string => {
      this.files.set(name, file);
      return name;
    };
    return { name, apply, longSteps: 0 };
  }

  readMetadata(name: string): Uint8Array {
    const { metadata } = this.#file(name);
    if (metadata === undefined) throw fileStoreError("file-missing", "no metadata");
    return metadata;
  }

  prepareMetadata(name: string, mode: string, text: Uint8Array): FakeChange | undefined {
    const file = this.#file(name);
    if (mode === "merge" && text.length === 0) return undefined;
    this.#lock(name);
    const copy = Buffer.from(text);
    const apply = (): undefined => {
      file.metadata = copy;
    };
    return { name, apply, longSteps: 0 };
  }

  setSource(source: FileSource): void {
    this.source = source;
  }

  setPacking(): { readonly packs: boolean; readonly leased: number } {
    return { packs: false, leased: 0 };
  }

  readonly trunkFacts = {
    ...{ files: 0, totalBytes: 0, freeBytes: 0, unknownFiles: 0 },
    rebuild: undefined,
  };

  /** Answers with what the check is to look for. */
  *check(suspect: boolean): FlushSteps<number> {
    this.checks.push(suspect);
    yield undefined;
    if (this.failChecks) throw fileStoreError("disk-failed", "the check failed");
    return 0;
  }

  space() {
    return { totalBytes: this.totalBytes, freeBytes: this.freeBytes };
  }

  /** Nothing is in doubt. */
  proof(_name: string): undefined {}

  settleRecheck(): void {}

  openRead(name: string) {
    const { content } = this.#file(name);
    this.openReads += 1;
    const descriptor = this.isPacked ? undefined : this.#nextDescriptor++;
    if (descriptor !== undefined) this.descriptors.set(descriptor, content);
    return {
      descriptor,
      sizeBytes: content.length,
      modifiedSeconds: 1_700_000_000,
      read: (target: Uint8Array, position: number): number => {
        if (this.failReads) throw fileStoreError("disk-failed", "unreadable sector");
        return content.copy(target, 0, position);
      },
      close: () => {
        this.openReads -= 1;
        if (descriptor !== undefined) this.descriptors.delete(descriptor);
      },
    };
  }

  readWhole(name: string, sizeBytes: number, target: Uint8Array): boolean {
    const { content } = this.#file(name);
    content.copy(target, 0, 0, sizeBytes + 1);
    return !this.failReads && content.length === sizeBytes;
  }

  facts(name: string) {
    const { content } = this.#file(name);
    return { sizeBytes: content.length, modifiedSeconds: 1_700_000_000, crc32: undefined };
  }

  *crc(name: string): Generator<undefined, number> {
    for (let step = 0; step < this.longSteps; step += 1) yield;
    return crc32(this.#file(name).content);
  }

  commit(changes: readonly FakeChange[]): void {
    this.commits.push(changes.map((change) => change.name));
    for (const change of changes) {
      if (this.failCommits.has("*") || this.failCommits.has(change.name)) {
        change.error = fileStoreError("disk-failed", "the flush failed", {
          details: { errno: "EIO" },
        });
        this.locked.delete(change.name);
      } else if (change.longSteps === 0) {
        this.#finish(change);
      }
    }
  }

  *commitSteps(changes: readonly FakeChange[]): FlushSteps<void> {
    yield undefined;
    this.commit(changes);
  }

  refuse(changes: readonly FakeChange[], error: unknown): void {
    for (const change of changes) {
      change.error = error;
      this.locked.delete(change.name);
    }
  }

  remainder(change: FakeChange): Generator<undefined, void> | undefined {
    return change.longSteps === 0 ? undefined : this.#remainder(change);
  }

  earlyFlush(): undefined {}

  close(): void {
    this.closed = true;
    if (this.closeFailure !== undefined) throw this.closeFailure;
  }

  /** As `WorkerLoop` wants it. */
  get asEngine(): StorePathEngine {
    return this as unknown as StorePathEngine;
  }

  *#remainder(change: FakeChange): Generator<undefined, void> {
    for (let step = 0; step < change.longSteps; step += 1) yield;
    this.#finish(change);
  }

  #finish(change: FakeChange): void {
    const result = change.apply();
    if (result !== undefined) change.result = result;
    this.locked.delete(change.name);
  }

  #targetName(target: WriteTarget): string {
    if ("name" in target) return target.name;
    switch (target.kind) {
      case "slave":
        this.#file(target.master);
        return this.#newName(target.extension);
      default:
        return this.#newName(target.extension);
    }
  }

  #newName(extension: string): string {
    const base = String(this.#nextName).padStart(27, "A");
    this.#nextName += 1;
    return `M00/00/00/${base}${extension === "" ? "" : `.${extension}`}`;
  }

  #apply(target: WriteTarget, name: string, body: Buffer): string {
    const before = this.files.get(name);
    if (before === undefined) {
      this.files.set(name, { content: body, metadata: undefined });
      return name;
    }
    const at = target.kind === "modify" ? target.offset : before.content.length;
    const next = Buffer.alloc(Math.max(before.content.length, at + body.length));
    before.content.copy(next);
    body.copy(next, at);
    before.content = next;
    return name;
  }

  #lock(name: string): void {
    if (this.locked.has(name)) throw new Error(`${name} is changed twice at a time`);
    this.locked.add(name);
  }

  #file(name: string): FakeFile {
    const file = this.files.get(name);
    if (file === undefined) throw fileStoreError("file-missing", `there is no ${name}`);
    return file;
  }
}
