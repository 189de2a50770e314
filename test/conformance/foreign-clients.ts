/**
 * FastDFS client libraries that this project did not write, behind one interface: three from the npm registry, as they
 * are. What one of them does not offer is absent; what it does wrong against the reference as well is named in `defects`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

const require = createRequire(import.meta.url);

export interface ForeignClient {
  readonly name: string;
  upload(content: Buffer, extension: string, group?: string): Promise<string>;
  uploadFile(path: string): Promise<string>;
  uploadStream?(stream: NodeJS.ReadableStream, size: number, extension: string): Promise<string>;
  uploadAppender?(content: Buffer, extension: string): Promise<string>;
  append?(id: string, content: Buffer): Promise<unknown>;
  modify?(id: string, offset: number, content: Buffer): Promise<unknown>;
  download(
    id: string,
    range?: { readonly offset: number; readonly bytes: number },
  ): Promise<Buffer>;
  setMetadata(id: string, values: Record<string, string>, flag: "O" | "M"): Promise<unknown>;
  getMetadata(id: string): Promise<Record<string, string>>;
  info(id: string): Promise<{ readonly size: number; readonly crc32: number }>;
  remove(id: string): Promise<unknown>;
  /** Does not come back after an unknown group (its own defect, also against the reference). */
  readonly failsOnUnknownGroup: boolean;
  /** Reads the sign-extended CRC-32 as a floating-point number and loses its low bits (its own defect). */
  readonly roundsCrc: boolean;
}

interface RawInfo {
  readonly size: number;
  readonly crc32?: number | string;
  readonly crc?: number | string;
}

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
const timeoutMs = 8000;

function factsOf(info: RawInfo): { size: number; crc32: number } {
  const crc32 = Number(BigInt.asUintN(32, BigInt(info.crc32 ?? info.crc ?? 0)));
  return { size: Number(info.size), crc32 };
}

/** `fdfs` and its fork `fastdfs-client` share their interface. */
function promising(packageName: "fdfs" | "fastdfs-client", port: number): ForeignClient {
  const Client = require(packageName);
  const client = new Client({
    trackers: [{ host: "127.0.0.1", port }],
    timeout: timeoutMs,
    defaultExt: "",
    charset: "utf8",
    logger: quiet,
  });
  return {
    name: packageName,
    failsOnUnknownGroup: false,
    roundsCrc: false,
    upload: (content, ext, group) =>
      client.upload(content, group === undefined ? { ext } : { ext, group }),
    uploadFile: (path) => client.upload(path),
    uploadStream: (stream, size, ext) => client.upload(stream, { size, ext }),
    uploadAppender: (content, ext) => client.upload(content, { ext, method: "uploadAppender" }),
    append: (fileId, content) => client.upload(content, { fileId, method: "append" }),
    modify: (fileId, offset, content) =>
      client.upload(content, { fileId, offset, method: "modify" }),
    async download(id, range = undefined) {
      const folder = mkdtempSync(join(tmpdir(), "cairn-foreign-"));
      try {
        const target = join(folder, "content");
        await client.download(id, { target, ...range });
        return readFileSync(target);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    setMetadata: (id, values, flag) => client.setMetaData(id, values, flag),
    getMetadata: (id) => client.getMetaData(id),
    info: async (id) => factsOf(await client.getFileInfo(id)),
    remove: (id) => client.del(id),
  };
}

/** `fdfs-client` calls back, sometimes before it has written everything: content is collected from a stream. */
function callingBack(port: number): ForeignClient {
  const Client = require("fdfs-client");
  const client = new Client({
    trackers: [{ host: "127.0.0.1", port }],
    timeout: timeoutMs,
    defaultExt: "txt",
    charset: "utf8",
    logger: quiet,
  });
  client.on("error", () => {});
  const call = <T>(method: string, ...values: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      client[method](...values, (error: unknown, result: T) =>
        error === undefined || error === null ? resolve(result) : reject(error),
      );
    });
  return {
    name: "fdfs-client",
    failsOnUnknownGroup: true,
    roundsCrc: true,
    upload: (content, ext, group) =>
      call("upload", content, group === undefined ? { ext } : { ext, group }),
    uploadFile: (path) => call("upload", path, {}),
    uploadStream: (stream, size, ext) => call("upload", stream, { size, ext }),
    async download(id, range = undefined) {
      const parts: Buffer[] = [];
      const target = new Writable({
        write(chunk: Buffer, _encoding, done) {
          parts.push(Buffer.from(chunk));
          done();
        },
      });
      await call("download", id, { target, ...range });
      await new Promise<void>((resolve) => target.end(() => resolve()));
      return Buffer.concat(parts);
    },
    setMetadata: (id, values, flag) => call("setMetaData", id, values, flag),
    getMetadata: (id) => call("getMetaData", id),
    info: async (id) => factsOf(await call<RawInfo>("getFileInfo", id)),
    remove: (id) => call("del", id),
  };
}

/** All of them, talking to a tracker on loopback. */
export const foreignClients: readonly ((port: number) => ForeignClient)[] = [
  (port) => promising("fdfs", port),
  (port) => promising("fastdfs-client", port),
  callingBack,
];
