/**
 * The files of a storage in memory, as replication sees them: with a binlog, marks and a name clock, by the rules of `ReplicaStore`. Clients'
 * changes are made by methods of their own.
 */
import { crc32 } from "node:zlib";
import {
  type BinlogEntryKind,
  decodeEntry,
  encodeEntry,
  sourceLine,
} from "#filestore/binlog/entry.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { FileFacts, OpenedFile, Range } from "#filestore/file-store.ts";
import type {
  BinlogPage,
  FilledBatch,
  ReplicaFile,
  ReplicaName,
  ReplicaOutcome,
  ReplicaRange,
  ReplicaTruncation,
} from "#filestore/replica-store.ts";
import { makeBase } from "#model/file-base.ts";
import { crcInName, type FileSource } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { type ByteFlow, collect, sourceOfBytes } from "#net/byte-flow.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { syncRecord } from "#protocol/peer/sync-record.ts";
import type { SyncStore } from "#sync/push.ts";

interface StoredFile {
  bytes: Buffer;
  modifiedSeconds: number;
}

export class MemorySyncStore implements SyncStore {
  readonly files = new Map<string, StoredFile>();
  readonly marks = new Map<string, string>();
  /** Files of the binlog, the last one being written. */
  readonly binlogs: string[] = [""];
  /** Names whose content cannot be read. */
  readonly unreadable = new Set<string>();
  /** What every operation fails with, while it is set. */
  trouble: Error | undefined;
  seconds = 1000;
  readonly source: FileSource;
  #serial = 0;
  onGrowth: () => void = () => {};

  constructor(address = "10.0.0.1") {
    this.source = { kind: "address", address };
  }

  get paths(): SyncStore["paths"] {
    return [];
  }

  get lines(): readonly string[] {
    return this.binlogs.join("").split("\n").slice(0, -1);
  }

  /** Every file with its content. */
  get contents(): ReadonlyMap<string, string> {
    const all = [...this.files].map(([name, { bytes }]) => [name, bytes.toString("hex")] as const);
    return new Map(all.sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  // What clients do.

  upload(bytes: Buffer, kind: "normal" | "appender" = "normal"): string {
    this.#serial += 1;
    const tail = String(this.#serial).padStart(7, "0");
    const about = { source: this.source, timestamp: this.seconds, size: bytes.length };
    const sum = { crc32: crc32(bytes), randomBits: this.#serial % 1000 };
    const name = `M00/00/00/${makeBase({ ...about, ...sum, kind, tail })}`;
    this.files.set(name, { bytes, modifiedSeconds: this.seconds });
    this.#record("create", name);
    return name;
  }

  remove(name: string): void {
    this.files.delete(name);
    this.#record("delete", name);
  }

  append(name: string, bytes: Buffer): void {
    const file = this.#file(name);
    const offset = file.bytes.length;
    file.bytes = Buffer.concat([file.bytes, bytes]);
    this.#record("append", `${name} ${offset} ${bytes.length}`);
  }

  modify(name: string, offset: number, bytes: Buffer): void {
    const file = this.#file(name);
    file.bytes = spliced(file.bytes, offset, bytes);
    this.#record("modify", `${name} ${offset} ${bytes.length}`);
  }

  truncate(name: string, size: number): void {
    const file = this.#file(name);
    const before = file.bytes.length;
    file.bytes = resized(file.bytes, size);
    this.#record("truncate", `${name} ${before} ${size}`);
  }

  setMetadata(name: string, text: string): void {
    const there = this.files.has(`${name}-m`);
    this.files.set(`${name}-m`, { bytes: Buffer.from(text), modifiedSeconds: this.seconds });
    this.#record(there ? "update" : "create", `${name}-m`);
  }

  regenerate(name: string): string {
    const file = this.#file(name);
    this.#serial += 1;
    const about = { source: this.source, timestamp: this.seconds, size: file.bytes.length };
    const sum = { crc32: crc32(file.bytes), randomBits: this.#serial % 1000 };
    const tail = name.slice(-7);
    const renamed = `M00/00/00/${makeBase({ ...about, ...sum, kind: "normal", tail })}`;
    this.files.delete(name);
    this.files.set(renamed, file);
    this.#record("rename", `${renamed} ${name}`);
    return renamed;
  }

  // What replication does.

  async open(name: string, range: Range): Promise<OpenedFile> {
    const { bytes, modifiedSeconds } = this.#looked(name);
    if (this.unreadable.has(name)) throw fileStoreError("disk-failed", "EIO");
    if (range.offset > 0 && range.offset >= bytes.length) {
      throw fileStoreError("file-invalid", `offset ${range.offset} is not inside of the file`);
    }
    const end = range.length === 0 ? bytes.length : range.offset + range.length;
    const part = bytes.subarray(range.offset, end);
    return { sizeBytes: bytes.length, modifiedSeconds, body: sourceOfBytes(Buffer.from(part)) };
  }

  async facts(name: string): Promise<FileFacts> {
    const { bytes, modifiedSeconds } = this.#looked(name);
    return { sizeBytes: bytes.length, modifiedSeconds, crc32: crc32(bytes) };
  }

  receiveBatch(): undefined {
    return undefined;
  }

  /** Leaves out what cannot be read, as the engine does; nothing is read in this way while there is trouble. */
  async readBatch(_name: string, lines: readonly string[]): Promise<FilledBatch | undefined> {
    if (this.trouble !== undefined) return undefined;
    const writer = new WireWriter();
    const isIn = lines.map((line) => {
      const entry = decodeEntry(line);
      const file = entry === undefined ? undefined : this.files.get(entry.name);
      if (entry === undefined || file === undefined || this.unreadable.has(entry.name))
        return false;
      const { name, timestamp } = entry;
      const sum = crc32(file.bytes);
      if (sum !== crcInName(parseRemoteFilename(name)?.base ?? "")) return false;
      const head = { name, timestamp, other: "", first: 0, second: 0, crc32: sum };
      const record = { ...head, kind: "create", content: file.bytes } as const;
      syncRecord.encode(record, writer, narrowAddresses);
      return true;
    });
    const bytes = Buffer.concat([writer.bytes(), Buffer.alloc(100)]);
    return { bytes, lengthBytes: writer.length, isIn, release: () => {} };
  }

  async storeReplica(file: ReplicaFile, body: ByteFlow): Promise<"done" | "already"> {
    const bytes = await collect(body);
    this.#check();
    const named = crcInName(parseRemoteFilename(file.name)?.base ?? "");
    const wanted = file.crc32 ?? named;
    if (wanted !== undefined && wanted !== crc32(bytes)) {
      throw fileStoreError("content-damaged", "another CRC-32");
    }
    if (this.files.get(file.name)?.bytes.equals(bytes) === true) return "already";
    this.files.set(file.name, { bytes: Buffer.from(bytes), modifiedSeconds: file.timestamp });
    this.unreadable.delete(file.name);
    this.#replica(file.mode === "create" ? "create" : "update", file.timestamp, file.name);
    return "done";
  }

  async recordReplica(file: Pick<ReplicaFile, "name" | "timestamp" | "mode">): Promise<void> {
    this.#check();
    this.#replica(file.mode === "create" ? "create" : "update", file.timestamp, file.name);
  }

  async appendReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    const bytes = await collect(body);
    this.#check();
    const file = this.files.get(range.name);
    if (file === undefined) return "missing";
    if (file.bytes.length !== range.offset) {
      return file.bytes.length >= range.offset + bytes.length ? "already" : "differs";
    }
    file.bytes = Buffer.concat([file.bytes, bytes]);
    return this.#spliced("append", range, bytes.length);
  }

  async modifyReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    const bytes = await collect(body);
    this.#check();
    const file = this.files.get(range.name);
    if (file === undefined) return "missing";
    if (file.bytes.length < range.offset) return "differs";
    file.bytes = spliced(file.bytes, range.offset, bytes);
    return this.#spliced("modify", range, bytes.length);
  }

  async truncateReplica(change: ReplicaTruncation): Promise<ReplicaOutcome> {
    this.#check();
    const file = this.files.get(change.name);
    if (file === undefined) return "missing";
    if (file.bytes.length === change.newSize) return "already";
    if (file.bytes.length !== change.oldSize) return "differs";
    file.bytes = resized(file.bytes, change.newSize);
    this.#replica(
      "truncate",
      change.timestamp,
      `${change.name} ${change.oldSize} ${change.newSize}`,
    );
    return "done";
  }

  async removeReplica(
    change: Pick<ReplicaFile, "name" | "timestamp">,
  ): Promise<"done" | "missing"> {
    this.#check();
    if (!this.files.delete(change.name)) return "missing";
    this.#replica("delete", change.timestamp, change.name);
    return "done";
  }

  async renameReplica({ name, source, timestamp }: ReplicaName): Promise<ReplicaOutcome> {
    this.#check();
    if (this.files.has(name)) return "already";
    const file = this.files.get(source);
    if (file === undefined) return "missing";
    if (crcInName(parseRemoteFilename(name)?.base ?? "") !== crc32(file.bytes)) return "differs";
    this.files.delete(source);
    this.files.set(name, file);
    this.#replica("rename", timestamp, `${name} ${source}`);
    return "done";
  }

  async linkReplica({ name, source, timestamp }: ReplicaName): Promise<ReplicaOutcome> {
    this.#check();
    if (this.files.has(name)) return "already";
    const file = this.files.get(source);
    if (file === undefined) return "missing";
    this.files.set(name, { ...file });
    this.#replica("link", timestamp, `${name} ${source}`);
    return "done";
  }

  async readBinlog(_path: number, from: BinlogPosition, maxBytes: number): Promise<BinlogPage> {
    this.#check();
    const text = this.binlogs[from.index];
    if (text === undefined || from.offset > text.length) {
      throw fileStoreError("binlog-gone", "there is no such place");
    }
    const piece = text.slice(from.offset, from.offset + maxBytes);
    const lines = piece.slice(0, piece.lastIndexOf("\n") + 1);
    const offset = from.offset + lines.length;
    const isLast = from.index === this.binlogs.length - 1;
    const ended = offset === text.length && !isLast;
    return {
      lines: Buffer.from(lines, "latin1"),
      next: ended ? { index: from.index + 1, offset: 0 } : { index: from.index, offset },
      atEnd: isLast && offset === text.length,
    };
  }

  async binlogEnd(): Promise<BinlogPosition> {
    this.#check();
    const index = this.binlogs.length - 1;
    return { index, offset: this.binlogs[index]?.length ?? 0 };
  }

  async readMark(path: number, name: string): Promise<string | undefined> {
    this.#check();
    return this.marks.get(`${path}/${name}`);
  }

  async writeMark(path: number, name: string, text: string): Promise<void> {
    this.#check();
    this.marks.set(`${path}/${name}`, text);
  }

  async removeMark(path: number, name: string): Promise<void> {
    this.#check();
    this.marks.delete(`${path}/${name}`);
  }

  nameClock(): number {
    return this.seconds;
  }

  #file(name: string): StoredFile {
    const file = this.files.get(name);
    if (file === undefined) throw new Error(`${name} is not there`);
    return file;
  }

  #looked(name: string): StoredFile {
    this.#check();
    const file = this.files.get(name);
    if (file === undefined) throw fileStoreError("file-missing", `${name} is not there`);
    return file;
  }

  #check(): void {
    if (this.trouble !== undefined) throw this.trouble;
  }

  #spliced(kind: "append" | "modify", range: ReplicaRange, length: number): ReplicaOutcome {
    this.#replica(kind, range.timestamp, `${range.name} ${range.offset} ${length}`);
    return "done";
  }

  #record(kind: BinlogEntryKind, rest: string): void {
    this.#write(sourceLine(kind, this.seconds, rest));
  }

  #replica(kind: BinlogEntryKind, timestamp: number, rest: string): void {
    const line = sourceLine(kind, timestamp, rest);
    const at = line.indexOf(" ") + 1;
    this.#write(line.slice(0, at) + line.charAt(at).toLowerCase() + line.slice(at + 1));
  }

  #write(line: string): void {
    this.binlogs[this.binlogs.length - 1] += line;
    this.onGrowth();
  }

  /** What a start after a crash writes about a file that was never whole. */
  neverWas(name: string): void {
    this.files.delete(name);
    this.#write(encodeEntry({ kind: "delete", timestamp: 0, replica: true, name }));
  }
}

function spliced(before: Buffer, offset: number, bytes: Buffer): Buffer {
  const after = Buffer.alloc(Math.max(before.length, offset + bytes.length));
  after.set(before);
  after.set(bytes, offset);
  return after;
}

function resized(before: Buffer, size: number): Buffer {
  const after = Buffer.alloc(size);
  after.set(before.subarray(0, size));
  return after;
}
