/**
 * A file store without disks, for tests of whoever sits on top of one. It makes real names, keeps the rules of the interface, and
 * hands out pieces that count themselves, so that a test can see that every one came back.
 */
import { crc32 } from "node:zlib";
import { fileStoreError } from "#filestore/errors.ts";
import type {
  FileFacts,
  FileStore,
  LinkRequest,
  MetadataMode,
  OpenedFile,
  Range,
  SlaveRequest,
  StorePathReport,
  UploadRequest,
} from "#filestore/file-store.ts";
import { makeBase, makeTail, slaveName, tailOf } from "#model/file-base.ts";
import { decodeBase } from "#model/file-id.ts";
import { mergeMetadata, normalizeMetadata } from "#model/file-metadata.ts";
import {
  formatRemoteFilename,
  parseRemoteFilename,
  type RemoteFilename,
} from "#model/remote-filename.ts";
import type { ByteFlow, ByteSource, Piece } from "#net/byte-flow.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import { ManualClock } from "./manual-clock.ts";

export interface MemoryFileStoreOptions {
  readonly clock?: Clock;
  /** Uploads beyond it are refused with `store-full`. */
  readonly capacityBytes?: number;
  readonly pieceBytes?: number;
}

interface StoredFile {
  content: Buffer;
  modifiedSeconds: number;
}

const totalBytes = 1024 ** 4;

export class MemoryFileStore implements FileStore {
  readonly files = new Map<string, StoredFile>();
  readonly metadata = new Map<string, Buffer>();
  /** Pieces that were handed out and not released. */
  outstandingPieces = 0;
  /** Sources that were opened and neither read to their end nor closed. */
  openSources = 0;
  /** Thrown by whatever is called next, until it is taken away. */
  failure: Error | undefined;
  /** How often each operation was called. */
  readonly calls: Partial<Record<keyof FileStore, number>> = {};
  readonly #clock: Clock;
  readonly #capacityBytes: number;
  readonly #pieceBytes: number;
  #counter = 0;

  constructor(options: MemoryFileStoreOptions = {}) {
    this.#clock = options.clock ?? new ManualClock();
    this.#capacityBytes = options.capacityBytes ?? totalBytes;
    this.#pieceBytes = options.pieceBytes ?? 64 * 1024;
  }

  /** Stores `content` at once. */
  async put(content: string | Uint8Array, extension = "bin"): Promise<string> {
    const kind = "normal" as const;
    return this.#create(Buffer.from(content), { kind, extension, storePathIndex: undefined });
  }

  async upload(request: UploadRequest, body: ByteFlow): Promise<string> {
    this.#called("upload");
    if ((request.storePathIndex ?? 0) !== 0) throw invalid("there is only store path 0");
    return this.#create(await this.#receive(body), request);
  }

  async uploadSlave(request: SlaveRequest, body: ByteFlow): Promise<string> {
    this.#called("uploadSlave");
    this.#file(request.master);
    const name = slaveName(request.master, request.prefix, request.extension);
    const content = await this.#receive(body);
    if (this.files.has(name)) throw fileStoreError("file-exists", `${name} is there already`);
    this.files.set(name, { content, modifiedSeconds: nowSeconds(this.#clock) });
    return name;
  }

  async link({ source, extension, slaveOf }: LinkRequest): Promise<string> {
    this.#called("link");
    const file = this.#file(source);
    const name =
      slaveOf === undefined
        ? this.#create(file.content, { kind: "normal", extension, storePathIndex: undefined })
        : slaveName(slaveOf.master, slaveOf.prefix, extension);
    this.files.set(name, file);
    return name;
  }

  async append(name: string, body: ByteFlow): Promise<void> {
    this.#called("append");
    const file = this.#appender(name);
    const more = await this.#receive(body);
    this.#change(file, Buffer.concat([file.content, more]));
  }

  async modify(name: string, offset: number, body: ByteFlow): Promise<void> {
    this.#called("modify");
    const file = this.#appender(name);
    if (offset > file.content.length) throw invalid("the offset lies past the end");
    const bytes = await this.#receive(body);
    const head = file.content.subarray(0, offset);
    this.#change(file, Buffer.concat([head, bytes, file.content.subarray(offset + bytes.length)]));
  }

  async truncate(name: string, sizeBytes: number): Promise<void> {
    this.#called("truncate");
    const file = this.#appender(name);
    const kept = file.content.subarray(0, sizeBytes);
    this.#change(file, Buffer.concat([kept, Buffer.alloc(sizeBytes - kept.length)]));
  }

  async regenerate(name: string): Promise<string> {
    this.#called("regenerate");
    const file = this.#appender(name);
    const parsed = parse(name);
    const base = this.#base(file.content, "normal", tailOf(parsed.base));
    const fresh = formatRemoteFilename({ ...parsed, base });
    this.files.delete(name);
    this.files.set(fresh, file);
    return fresh;
  }

  async remove(name: string): Promise<void> {
    this.#called("remove");
    this.#file(name);
    this.files.delete(name);
    this.metadata.delete(name);
  }

  async open(
    name: string,
    range: Range,
    options: { readonly emptyIsFine?: boolean } = {},
  ): Promise<OpenedFile> {
    this.#called("open");
    const { content, modifiedSeconds } = this.#file(name);
    if (range.offset >= content.length && options.emptyIsFine !== true) {
      throw invalid("the offset lies at or past the end");
    }
    const end = range.length === 0 ? content.length : range.offset + range.length;
    const body = this.#source(content.subarray(range.offset, end));
    return { sizeBytes: content.length, modifiedSeconds, body };
  }

  async facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    this.#called("facts");
    const { content, modifiedSeconds } = this.#file(name);
    const decoded = decodeBase(parse(name).base);
    const inName = decoded?.isAppender === false && !decoded.isSlave ? decoded.crc32 : 0;
    const sum = options.computeCrc ? crc32(content) : inName;
    return { sizeBytes: content.length, modifiedSeconds, crc32: sum };
  }

  async readMetadata(name: string): Promise<Uint8Array> {
    this.#called("readMetadata");
    this.#file(name);
    const text = this.metadata.get(name);
    if (text === undefined) throw missing(`${name} has no metadata`);
    return text;
  }

  async writeMetadata(name: string, mode: MetadataMode, text: Uint8Array): Promise<void> {
    this.#called("writeMetadata");
    this.#file(name);
    const stored = this.metadata.get(name) ?? Buffer.alloc(0);
    const fresh = mode === "merge" ? mergeMetadata(stored, text) : normalizeMetadata(text);
    if (fresh.length === 0) this.metadata.delete(name);
    else this.metadata.set(name, fresh);
  }

  get paths(): readonly StorePathReport[] {
    const used = [...this.files.values()].reduce((sum, file) => sum + file.content.length, 0);
    return [
      {
        index: 0,
        directory: "/memory",
        state: "online",
        problem: undefined,
        readOnly: false,
        totalBytes,
        freeBytes: totalBytes - used,
        quarantines: 0,
        abandoned: 0,
      },
    ];
  }

  async close(): Promise<void> {
    this.failure = fileStoreError("store-closing", "the store is closed");
  }

  #called(operation: keyof FileStore): void {
    this.calls[operation] = (this.calls[operation] ?? 0) + 1;
    if (this.failure !== undefined) throw this.failure;
  }

  async #receive(body: ByteFlow): Promise<Buffer> {
    if (body.length > this.#capacityBytes) throw full();
    const chunks: Buffer[] = [];
    let received = 0;
    await body.drainTo({
      write: (chunk) => {
        received += chunk.length;
        chunks.push(Buffer.from(chunk));
        // As a real store does, which has only so many buffers.
        queueMicrotask(() => body.resume());
        return false;
      },
    });
    if (received > this.#capacityBytes) throw full();
    if (body.lengthIsEstimate !== true && received !== body.length) {
      throw invalid(`the payload has ${received} bytes, ${body.length} were announced`);
    }
    return Buffer.concat(chunks);
  }

  #create(content: Buffer, { kind, extension }: UploadRequest): string {
    this.#counter += 1;
    const base = this.#base(content, kind, makeTail(extension, this.#counter));
    const name = formatRemoteFilename({ storePathIndex: 0, high: 0, low: 0, base });
    this.files.set(name, { content, modifiedSeconds: nowSeconds(this.#clock) });
    return name;
  }

  #base(content: Buffer, kind: "normal" | "appender", tail: string): string {
    return makeBase({
      source: { kind: "address", address: "127.0.0.1" },
      timestamp: nowSeconds(this.#clock),
      size: content.length,
      crc32: crc32(content),
      randomBits: this.#counter,
      kind,
      tail,
    });
  }

  #file(name: string): StoredFile {
    parse(name);
    const file = this.files.get(name);
    if (file === undefined) throw missing(`there is no file ${name}`);
    return file;
  }

  #appender(name: string): StoredFile {
    const file = this.#file(name);
    if (decodeBase(parse(name).base)?.isAppender !== true) throw invalid("no appender file");
    return file;
  }

  #change(file: StoredFile, content: Buffer): void {
    file.content = content;
    file.modifiedSeconds = nowSeconds(this.#clock);
  }

  #source(content: Buffer): ByteSource {
    let at = 0;
    let open = true;
    this.openSources += 1;
    const end = (): void => {
      if (open) this.openSources -= 1;
      open = false;
    };
    return {
      length: content.length,
      next: async (): Promise<Piece | undefined> => {
        if (this.failure !== undefined) throw this.failure;
        if (!open || at >= content.length) {
          end();
          return undefined;
        }
        const bytes = content.subarray(at, at + this.#pieceBytes);
        at += bytes.length;
        this.outstandingPieces += 1;
        return { bytes, room: 0, release: once(() => this.outstandingPieces--) };
      },
      close: end,
    };
  }
}

function parse(name: string): RemoteFilename {
  const parsed = parseRemoteFilename(name);
  if (parsed === undefined || parsed.storePathIndex !== 0) throw invalid(`no name: ${name}`);
  return parsed;
}

function once(task: () => void): () => void {
  let done = false;
  return () => {
    if (done) throw new Error("a piece was released twice");
    done = true;
    task();
  };
}

function missing(message: string): Error {
  return fileStoreError("file-missing", message);
}

function invalid(message: string): Error {
  return fileStoreError("file-invalid", message);
}

function full(): Error {
  return fileStoreError("store-full", "the memory is full");
}
