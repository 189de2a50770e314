/**
 * A storage that keeps its files in memory and speaks FastDFS through the declarations of `src/protocol`. It can be told to
 * misbehave in the ways that networks and disks do. Part of `fake-cluster.ts`.
 */
import { crc32 } from "node:zlib";
import { Log } from "#base/log.ts";
import { makeBase, makeTail, slaveName } from "#model/file-base.ts";
import { decodeBase } from "#model/file-id.ts";
import { mergeMetadata, normalizeMetadata } from "#model/file-metadata.ts";
import { GroupName } from "#model/group-name.ts";
import type { ByteFlow, ByteSource } from "#net/byte-flow.ts";
import { addHandlers, type HandlerEntry, type Handlers } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import type { FrameSession } from "#net/frame-session.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { WireContext } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import {
  appendFile,
  deleteFile,
  downloadFile,
  type FileReference,
  modifyFile,
  queryFileInfo,
  regenerateAppenderFilename,
  truncateFile,
  uploadAppenderFile,
  uploadFile,
  uploadSlaveFile,
} from "#protocol/fastdfs/storage-files.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

export interface FakeFile {
  bytes: Buffer;
  metadata: Buffer | undefined;
  modifiedAt: number;
}

/** Set and cleared by tests while the cluster runs. */
export interface StorageFaults {
  /** Writes are not copied to the other storages of the group. */
  alone?: boolean;
  /** Answers every upload with this status, as soon as its head is there. */
  refuseUploads?: number | undefined;
  /** Answers every deletion with this status. */
  failDeletes?: number;
  /** Answers every SET_METADATA with this status. */
  failMetadata?: number;
  /** Breaks the connection when so many bytes of a body have come. */
  cutBodyAfter?: number;
  /** Does what was asked, then breaks the connection in place of the reply. */
  dropReplies?: boolean;
  /** Breaks the connection after so many bytes of each download. */
  cutDownloadsAfter?: number | undefined;
  /** Sends no more after so many bytes of each download. */
  stallDownloadsAfter?: number | undefined;
  /** Takes requests and never answers. */
  silent?: boolean;
  /** Answers every second request with this status. */
  failEverySecond?: number;
  /** Delivers other bytes than were stored. */
  corrupt?: boolean;
  /** Names files with another CRC-32 than their content has, as deduplication does. */
  wrongCrc32?: boolean;
  /** Breaks the connection on the next request of a session that served one before, as a restart would. */
  breakReused?: boolean;
  /** As before 6.15.4: a range past the end is refused, one at the end is empty. */
  oldRanges?: boolean;
  /** As C: a truncate to the present size is answered with the request's own body. */
  echoTruncate?: boolean;
}

export interface FakeStorageOptions {
  readonly group: string;
  readonly address: string;
  readonly network: Network;
  readonly clock: Clock;
  readonly context: () => WireContext;
  /** Where writes go beside this storage. */
  readonly replicas: () => readonly FakeStorage[];
}

interface Facts {
  requests: number;
}

type Session = FrameSession<Facts>;

const uploads = { uploadFile, uploadAppenderFile, uploadSlaveFile } as const;
const changes = { appendFile, modifyFile, truncateFile, regenerateAppenderFilename } as const;
const lookups = { deleteFile, downloadFile, queryFileInfo } as const;

export class FakeStorage {
  readonly files = new Map<string, FakeFile>();
  readonly faults: StorageFaults = {};
  /** Names of the messages that came, in order. */
  readonly asked: string[] = [];
  /** Bytes of downloads that were handed to connections. */
  delivered = 0;
  readonly group: GroupName;
  readonly address: string;
  port = 0;
  readonly #options: FakeStorageOptions;
  #server: FrameServer<Facts> | undefined;
  #made = 0;

  constructor(options: FakeStorageOptions) {
    this.#options = options;
    this.group = GroupName(options.group);
    this.address = options.address;
  }

  /** Listens on the port that it had before, if any. */
  async start(): Promise<void> {
    const { network, clock, context } = this.#options;
    const handlers = new Map<number, HandlerEntry<Facts>>();
    addHandlers(handlers, uploads, this.#uploadHandlers());
    addHandlers(handlers, changes, this.#changeHandlers());
    addHandlers(handlers, lookups, this.#lookupHandlers());
    addHandlers(handlers, storageMetadata, this.#metadataHandlers());
    addHandlers(handlers, { activeTest }, { activeTest: () => undefined });
    const server = new FrameServer<Facts>({
      network,
      clock,
      log: new Log("fake-storage", () => {}),
      handlers,
      context,
      statusOf,
      newFacts: () => ({ requests: 0 }),
      admits: () => true,
      maxConnections: 256,
      networkTimeoutMs: 5000,
      maxBodyBytes: 256 * 1024,
      closesAfterInvalid: true,
      answersOversized: true,
    });
    const [listener] = await server.listen([this.address], this.port);
    this.port = listener?.port ?? 0;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(0);
  }

  get connections(): number {
    return this.#server?.connections.current ?? 0;
  }

  #uploadHandlers(): Handlers<typeof uploads, Facts> {
    return {
      uploadFile: (request, session, body) =>
        this.#store(session, body, { ...request, kind: "normal" }),
      uploadAppenderFile: (request, session, body) =>
        this.#store(session, body, { ...request, kind: "appender" }),
      uploadSlaveFile: async (request, session, body) => {
        await this.#enter("uploadSlaveFile", session);
        const { masterFilename, prefix, extension } = request;
        const name = slaveName(masterFilename, prefix, extension);
        this.#find(masterFilename);
        if (this.files.has(name)) throw new WireStatusError(wireStatus.exists, name);
        const bytes = await this.#receive(session, body);
        this.#put(name, bytes);
        this.#leave(session);
        return { group: this.group, filename: name };
      },
    };
  }

  #changeHandlers(): Handlers<typeof changes, Facts> {
    return {
      appendFile: async (request, session, body) => {
        await this.#enter("appendFile", session);
        const file = this.#appender(request.filename);
        const bytes = await this.#receive(session, body);
        file.bytes = Buffer.concat([file.bytes, bytes]);
        this.#leave(session);
      },
      modifyFile: async (request, session, body) => {
        await this.#enter("modifyFile", session);
        const file = this.#appender(request.filename);
        const { offset } = request;
        if (offset > file.bytes.length) throw new WireStatusError(wireStatus.invalid, "offset");
        const bytes = await this.#receive(session, body);
        const rest = file.bytes.subarray(offset + bytes.length);
        file.bytes = Buffer.concat([file.bytes.subarray(0, offset), bytes, rest]);
        this.#leave(session);
      },
      truncateFile: async (request, session) => {
        await this.#enter("truncateFile", session);
        const file = this.#appender(request.filename);
        if (this.faults.echoTruncate === true && file.bytes.length === request.fileSize) {
          session.destroy();
          throw new WireStatusError(wireStatus.ioError, "no way to echo through a declaration");
        }
        const grown = Buffer.alloc(request.fileSize);
        file.bytes.copy(grown);
        file.bytes = grown;
        this.#leave(session);
      },
      regenerateAppenderFilename: async (request, session) => {
        await this.#enter("regenerateAppenderFilename", session);
        const file = this.#appender(request.filename);
        const name = this.#newName(file.bytes, "bin", "normal");
        this.#put(name, file.bytes);
        this.#drop(request.filename);
        this.#leave(session);
        return { group: this.group, filename: name };
      },
    };
  }

  #lookupHandlers(): Handlers<typeof lookups, Facts> {
    return {
      deleteFile: async (request, session) => {
        await this.#enter("deleteFile", session);
        const { failDeletes } = this.faults;
        if (failDeletes !== undefined) throw new WireStatusError(failDeletes, "as a test wants");
        this.#find(this.#own(request));
        this.#drop(request.filename);
        this.#leave(session);
      },
      downloadFile: async (request, session) => {
        await this.#enter("downloadFile", session);
        const { bytes } = this.#find(this.#own(request));
        return this.#deliver(session, rangeOf(bytes, request, this.faults.oldRanges === true));
      },
      queryFileInfo: async (request, session) => {
        await this.#enter("queryFileInfo", session);
        const file = this.#find(this.#own(request));
        const withCrc = (request.headerStatus & 1) === 0;
        this.#leave(session);
        return {
          fileSize: file.bytes.length,
          modifiedAt: file.modifiedAt,
          crc32: withCrc ? crc32(file.bytes) : 0,
          sourceAddress: this.address,
        };
      },
    };
  }

  #metadataHandlers(): Handlers<typeof storageMetadata, Facts> {
    return {
      setMetadata: async (request, session) => {
        await this.#enter("setMetadata", session);
        const { failMetadata } = this.faults;
        if (failMetadata !== undefined) throw new WireStatusError(failMetadata, "told to fail");
        const file = this.#find(this.#own(request));
        const { mode, metadata } = request;
        const old = file.metadata ?? Buffer.alloc(0);
        const now = mode === "merge" ? mergeMetadata(old, metadata) : normalizeMetadata(metadata);
        file.metadata = now.length === 0 ? undefined : now;
        this.#leave(session);
      },
      getMetadata: async (request, session) => {
        await this.#enter("getMetadata", session);
        const { metadata } = this.#find(this.#own(request));
        if (metadata === undefined) throw new WireStatusError(wireStatus.notFound, "no metadata");
        return { metadata };
      },
    };
  }

  async #store(
    session: Session,
    body: ByteFlow,
    file: { readonly extension: string; readonly kind: "normal" | "appender" },
  ): Promise<{ group: GroupName; filename: string }> {
    await this.#enter(file.kind === "normal" ? "uploadFile" : "uploadAppenderFile", session);
    const { refuseUploads } = this.faults;
    if (refuseUploads !== undefined) throw new WireStatusError(refuseUploads, "told to refuse");
    const bytes = await this.#receive(session, body);
    const filename = this.#newName(bytes, file.extension, file.kind);
    this.#put(filename, bytes);
    this.#leave(session);
    return { group: this.group, filename };
  }

  #newName(bytes: Buffer, extension: string, kind: "normal" | "appender"): string {
    this.#made += 1;
    const base = makeBase({
      source: { kind: "address", address: this.address },
      timestamp: Math.floor(this.#options.clock.nowMs() / 1000),
      size: bytes.length,
      crc32: this.faults.wrongCrc32 === true ? 1 : crc32(bytes),
      randomBits: this.#made,
      kind,
      tail: makeTail(extension, this.#made),
    });
    return `M00/00/00/${base}`;
  }

  #put(name: string, bytes: Buffer): void {
    const modifiedAt = Math.floor(this.#options.clock.nowMs() / 1000);
    const file: FakeFile = { bytes, metadata: undefined, modifiedAt };
    for (const storage of this.#holders()) storage.files.set(name, file);
  }

  #drop(name: string): void {
    for (const storage of this.#holders()) storage.files.delete(name);
  }

  #holders(): readonly FakeStorage[] {
    return this.faults.alone === true ? [this] : [this, ...this.#options.replicas()];
  }

  #own(request: FileReference): string {
    if (request.group !== this.group) throw new WireStatusError(wireStatus.invalid, "other group");
    return request.filename;
  }

  #find(name: string): FakeFile {
    const file = this.files.get(name);
    if (file === undefined) throw new WireStatusError(wireStatus.notFound, name);
    return file;
  }

  #appender(name: string): FakeFile {
    const file = this.#find(name);
    const decoded = decodeBase(name.slice(name.lastIndexOf("/") + 1));
    if (decoded?.isAppender !== true) throw new WireStatusError(wireStatus.invalid, "no appender");
    return file;
  }

  async #enter(name: string, session: Session): Promise<void> {
    this.asked.push(name);
    session.facts.requests += 1;
    if (this.faults.breakReused === true && session.facts.requests > 1) session.destroy();
    if (this.faults.silent === true) await new Promise(() => {});
    const { failEverySecond } = this.faults;
    if (failEverySecond !== undefined && this.asked.length % 2 === 0) {
      throw new WireStatusError(failEverySecond, "told to fail");
    }
  }

  #leave(session: Session): void {
    if (this.faults.dropReplies === true) session.destroy();
  }

  async #receive(session: Session, body: ByteFlow): Promise<Buffer> {
    const parts: Buffer[] = [];
    let got = 0;
    await body.drainTo({
      write: (chunk) => {
        parts.push(Buffer.from(chunk));
        got += chunk.length;
        const limit = this.faults.cutBodyAfter;
        if (limit !== undefined && got >= limit) session.destroy();
        return true;
      },
    });
    return Buffer.concat(parts);
  }

  #deliver(session: Session, bytes: Buffer): ByteSource {
    const { cutDownloadsAfter, stallDownloadsAfter } = this.faults;
    const limit = cutDownloadsAfter ?? stallDownloadsAfter ?? Number.POSITIVE_INFINITY;
    const sent = this.faults.corrupt === true ? flipped(bytes) : bytes;
    let given = 0;
    return {
      length: sent.length,
      next: async () => {
        if (given >= limit && given < sent.length) {
          if (cutDownloadsAfter === undefined) await new Promise(() => {});
          session.destroy();
          return undefined;
        }
        const piece = sent.subarray(given, Math.min(given + pieceSize, limit));
        given += piece.length;
        this.delivered += piece.length;
        return piece.length === 0 ? undefined : { bytes: piece, room: 0, release: () => {} };
      },
      close: () => {},
    };
  }
}

const pieceSize = 256 * 1024;

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[0] = (copy[0] ?? 0) ^ 0xff;
  return copy;
}

function rangeOf(
  bytes: Buffer,
  range: { readonly offset: number; readonly length: number },
  old: boolean,
): Buffer {
  const { offset, length } = range;
  const size = bytes.length;
  const past = old ? offset > size || offset + length > size : offset >= size;
  if (past) throw new WireStatusError(wireStatus.invalid, "range");
  return bytes.subarray(offset, length === 0 ? size : Math.min(size, offset + length));
}

/** As the real servers answer; an unexpected error shows as an I/O error. */
export function statusOf(error: unknown): number {
  if (error instanceof WireStatusError) return error.status;
  return error instanceof ProtocolError ? wireStatus.invalid : wireStatus.ioError;
}
