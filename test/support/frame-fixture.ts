/**
 * A family of real FastDFS messages with handlers that do what the request's texts say, for tests of the transport: it is the
 * sessions that are looked at, not what the handlers mean.
 */
import { crc32 } from "node:zlib";
import { Log, type LogRecord } from "#base/log.ts";
import { GroupName } from "#model/group-name.ts";
import { type ByteFlow, type ByteSource, collect, type Piece } from "#net/byte-flow.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import type { FrameServerOptions } from "#net/frame-server.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { common } from "#protocol/fastdfs/common.ts";
import {
  appendFile,
  deleteFile,
  downloadFile,
  queryFileInfo,
  uploadFile,
} from "#protocol/fastdfs/storage-files.ts";
import { headerSize, writeHeader } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

const family = { uploadFile, appendFile, deleteFile, downloadFile, queryFileInfo };
export const group = GroupName("group1");

/** Bytes that tell their place: a lost, doubled or exchanged one shows. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A download whose pieces are counted, so that a test sees whether all came back. */
export class PatternSource implements ByteSource {
  readonly length: number;
  readonly #pieceBytes: number;
  readonly #failAt: number;
  readonly #bytes: Buffer;
  #at = 0;
  piecesOut = 0;
  closed = 0;

  constructor(length: number, how: { pieceBytes?: number; failAt?: number } = {}) {
    this.length = length;
    this.#pieceBytes = how.pieceBytes ?? 16 * 1024;
    this.#failAt = how.failAt ?? Number.POSITIVE_INFINITY;
    this.#bytes = pattern(Math.min(length, 64 * 1024 * 1024));
  }

  async next(): Promise<Piece | undefined> {
    if (this.closed > 0) throw new Error("asked for a piece after the end");
    if (this.#at >= this.#failAt) throw new WireStatusError(wireStatus.ioError, "unreadable");
    if (this.#at >= this.length) return undefined;
    const bytes = this.#bytes.subarray(this.#at, this.#at + this.#pieceBytes);
    this.#at += bytes.length;
    this.piecesOut += 1;
    let held = true;
    return {
      bytes,
      room: 0,
      release: () => {
        if (!held) throw new Error("a piece was released twice");
        held = false;
        this.piecesOut -= 1;
      },
    };
  }

  close(): void {
    this.closed += 1;
  }
}

/** What the handlers saw and gave out. */
export interface FrameFixture {
  readonly handlers: Map<number, HandlerEntry<undefined>>;
  readonly sources: PatternSource[];
  /** Failures of drained payloads, as the handlers got them. */
  readonly failures: unknown[];
  /** Lets uploads with extension `held` go on. */
  release(): void;
  readonly held: () => number;
}

/** Extensions tell uploads what to do: `late`, `refuse`, `half`, `ignore`, `held`, `broken`; others store. */
export function frameFixture(): FrameFixture {
  const sources: PatternSource[] = [];
  const failures: unknown[] = [];
  const waiting: (() => void)[] = [];

  const store = async (extension: string, body: ByteFlow): Promise<string> => {
    if (extension === "late") await new Promise((resolve) => setImmediate(resolve));
    if (extension === "held") await new Promise<void>((resolve) => waiting.push(resolve));
    if (extension === "refuse") throw new WireStatusError(wireStatus.noSpace, "no room");
    if (extension === "ignore") return "ignored";
    if (extension === "half") {
      const half = new Promise<never>((_, reject) => {
        let seen = 0;
        body
          .drainTo({
            write: (chunk) => {
              seen += chunk.length;
              if (seen >= body.length / 2) reject(new WireStatusError(wireStatus.ioError, "half"));
              return true;
            },
          })
          .catch(reject);
      });
      return half;
    }
    try {
      const bytes = await collect(body);
      return `${bytes.length}-${crc32(bytes)}`;
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };

  const handlers = fixtureHandlers(store, sources);
  return {
    handlers,
    sources,
    failures,
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
    held: () => waiting.length,
  };
}

function fixtureHandlers(
  store: (extension: string, body: ByteFlow) => Promise<string>,
  sources: PatternSource[],
): Map<number, HandlerEntry<undefined>> {
  const handlers = new Map<number, HandlerEntry<undefined>>();
  addHandlers(handlers, common, { activeTest: () => {}, quit: () => {} });
  addHandlers<typeof family, undefined>(handlers, family, {
    uploadFile: async (request, _session, body) => {
      const filename = await store(request.extension, body);
      return { group: request.extension === "broken" ? tooLongGroup : group, filename };
    },
    appendFile: async (_request, _session, body) => {
      await collect(body);
    },
    deleteFile: (request) => {
      if (request.filename === "missing") throw new WireStatusError(wireStatus.notFound, "none");
      if (request.filename === "invalid") throw new WireStatusError(wireStatus.invalid, "bad");
      if (request.filename === "bug") throw new TypeError("our own mistake");
    },
    downloadFile: async (request) => {
      const failAt = request.filename === "fails" ? 32 * 1024 : Number.POSITIVE_INFINITY;
      const source = new PatternSource(request.length, { failAt });
      sources.push(source);
      return source;
    },
    queryFileInfo: async (request) => {
      if (request.filename.startsWith("wide")) {
        return { fileSize: 1, modifiedAt: 2, crc32: 3, sourceAddress: "x".repeat(60) };
      }
      return { fileSize: request.headerStatus, modifiedAt: 2, crc32: 3, sourceAddress: "" };
    },
  });
  return handlers;
}

const tooLongGroup = "group-name-that-does-not-fit" as GroupName;

export function statusOf(error: unknown): number {
  if (error instanceof WireStatusError) return error.status;
  return error instanceof ProtocolError ? wireStatus.invalid : wireStatus.ioError;
}

/** A log whose records stay with the test. */
export function collectedLog(): { readonly log: Log; readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  return { log: new Log("test", (record) => records.push(record)), records };
}

export interface ServerChoices {
  readonly network: Network;
  readonly clock: Clock;
  readonly handlers: Map<number, HandlerEntry<undefined>>;
}

/** The options of a server that behaves as a storage does; override what a test is about. */
export function storageLike(choices: ServerChoices): FrameServerOptions<undefined> {
  return {
    ...choices,
    log: collectedLog().log,
    context: () => narrowAddresses,
    statusOf,
    newFacts: () => undefined,
    admits: () => true,
    maxConnections: 64,
    networkTimeoutMs: 30_000,
    maxBodyBytes: 64 * 1024,
    closesAfterInvalid: true,
    answersOversized: true,
  };
}

/** A request as it travels; `announced` lies about the length of the body. */
export function requestBytes<M extends AnyMessage>(
  message: M,
  request: unknown,
  more: { payload?: Uint8Array; announced?: number; status?: number } = {},
): Buffer {
  const writer = new WireWriter();
  writer.zeros(headerSize);
  message.request.encode(request, writer, narrowAddresses);
  if (more.payload !== undefined) writer.raw(more.payload);
  const bytes = writer.bytes();
  writeHeader(bytes, 0, {
    length: more.announced ?? bytes.length - headerSize,
    command: message.command,
    status: more.status ?? 0,
  });
  return bytes;
}

export function uploadBytes(payload: Uint8Array, extension = "", fileSize?: number): Buffer {
  const request = { storePathIndex: 255, fileSize: fileSize ?? payload.length, extension };
  return requestBytes(uploadFile, request, { payload });
}

/** The reply that `uploadBytes` gets. */
export function uploadReply(payload: Uint8Array): Buffer {
  const name = `${payload.length}-${crc32(payload)}`;
  const body = Buffer.concat([Buffer.from(group.padEnd(16, "\0")), Buffer.from(name)]);
  return Buffer.concat([headerBytes(body.length, 100, 0), body]);
}

export function headerBytes(length: number, command: number, status: number): Buffer {
  const bytes = Buffer.alloc(headerSize);
  writeHeader(bytes, 0, { length, command, status });
  return bytes;
}

export const activeTestBytes = requestBytes(common.activeTest, undefined);
export const quitBytes = requestBytes(common.quit, undefined);
export const okReply = headerBytes(0, 100, 0);

export function statusReply(status: number): Buffer {
  return headerBytes(0, 100, status);
}

export function deleteBytes(filename: string): Buffer {
  return requestBytes(deleteFile, { group: "group1", filename });
}

export function downloadBytes(length: number, filename = "M00/00/00/some"): Buffer {
  return requestBytes(downloadFile, { group: "group1", filename, offset: 0, length });
}
