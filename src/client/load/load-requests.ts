/**
 * The requests of the load generator. They are encoded by the declarations of the protocol once; before each operation only the
 * file's name, or the stamp that makes content unlike any other, is put in. Each lane has its own buffer.
 */
import { contentInHeadBytes } from "#client/load/limits.ts";
import type { LoadOperation } from "#client/load/load-operation.ts";
import { formatMetadata } from "#model/file-metadata.ts";
import { anyStorePath } from "#model/store-path-index.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import {
  deleteFile,
  downloadFile,
  queryFileInfo,
  uploadFile,
} from "#protocol/fastdfs/storage-files.ts";
import { getMetadata, setMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { queryFetch, queryStore } from "#protocol/fastdfs/tracker-queries.ts";
import { groupWidth } from "#protocol/fields.ts";
import { headerSize, writeHeader } from "#protocol/header.ts";
import type { Message } from "#protocol/message.ts";

/** A name may be as long as 127 bytes. */
const longestReference = groupWidth + 127;
const firstPrintable = 0x21;
const lastPrintable = 0x7e;
const stampBytes = 16;
const extension = "bin";
/** Stands for a file's name while its request is encoded. */
const example = { group: "group1", filename: "M00/00/00/a-name-of-the-usual-length.bin" };
const metadata = formatMetadata([
  ["author", "cairn bench"],
  ["height", "768"],
  ["width", "1024"],
]);

export interface LoadRequest {
  readonly bytes: Uint8Array;
  /** How much of the pattern follows. */
  readonly patternLength: number;
}

/** Bytes that compress badly and differ from one `seed` to the next. */
export function patternOf(seed: number, length: number): Buffer {
  const pattern = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at + 4 <= length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pattern.writeInt32LE(state | 0, at);
  }
  return pattern;
}

/** Uploads of one size, each with content of its own. */
export class UploadRequests {
  readonly #bytes: Buffer;
  readonly #contentAt: number;
  readonly #stampLength: number;
  readonly #patternLength: number;

  /** `seed` tells the runs of the generator apart. */
  constructor(sizeBytes: number, pattern: Uint8Array, seed: number) {
    const request = { storePathIndex: anyStorePath, fileSize: sizeBytes, extension };
    const head = encoded(uploadFile, request, sizeBytes);
    const inHead = Math.min(sizeBytes, contentInHeadBytes);
    this.#contentAt = head.length;
    this.#patternLength = sizeBytes - inHead;
    this.#bytes = Buffer.alloc(head.length + inHead);
    this.#bytes.set(head);
    this.#bytes.set(pattern.subarray(0, inHead), this.#contentAt);
    this.#stampLength = Math.min(stampBytes, inHead);
    this.#stamp(seed, 8);
  }

  /** Valid until the next one; `number` is that of the operation in this run. */
  next(number: number): LoadRequest {
    this.#stamp(number, 0);
    return { bytes: this.#bytes, patternLength: this.#patternLength };
  }

  #stamp(value: number, offset: number): void {
    let rest = value;
    for (let at = offset; at < Math.min(offset + 8, this.#stampLength); at += 1) {
      this.#bytes[this.#contentAt + at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
}

/** Whether the answer to an upload is a group and a name that requests can be made of. */
export function isReference(bytes: Uint8Array): boolean {
  if (bytes.length <= groupWidth || bytes.length > longestReference) return false;
  let padded = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    const inGroup = at < groupWidth;
    if (inGroup && at > 0 && byte === 0) padded = true;
    else if (byte < firstPrintable || byte > lastPrintable || (inGroup && padded)) return false;
  }
  return true;
}

/** Requests whose last bytes are the group and the name of a file. */
export class FileRequests {
  readonly #bytes: Buffer;
  readonly #before: number;
  readonly #command: number;

  constructor(operation: Exclude<LoadOperation, "upload" | "set-metadata">) {
    const bytes = namedRequest(operation);
    this.#command = bytes[8] as number;
    const reference = groupWidth + Buffer.byteLength(example.filename);
    this.#before = namesFile(operation) ? bytes.length - reference : bytes.length;
    this.#bytes = Buffer.alloc(bytes.length + longestReference);
    this.#bytes.set(bytes);
  }

  /** Valid until the next one. */
  about(reference: Uint8Array): LoadRequest {
    this.#bytes.set(reference, this.#before);
    const end = this.#before + reference.length;
    writeHeader(this.#bytes, 0, { length: end - headerSize, command: this.#command, status: 0 });
    return { bytes: this.#bytes.subarray(0, end), patternLength: 0 };
  }

  /** For what asks about no file. */
  plain(): LoadRequest {
    return { bytes: this.#bytes.subarray(0, this.#before), patternLength: 0 };
  }
}

function namesFile(operation: LoadOperation): boolean {
  return operation !== "query-store" && operation !== "ping";
}

/** Sets the same few entries, in place of those that are there. */
export function metadataRequest(reference: Buffer): LoadRequest {
  const end = reference.indexOf(0);
  const group = reference.toString("latin1", 0, end < 0 || end > groupWidth ? groupWidth : end);
  const filename = reference.toString("latin1", groupWidth);
  const bytes = encoded(setMetadata, { filename, group, metadata, mode: "overwrite" }, 0);
  return { bytes, patternLength: 0 };
}

function namedRequest(operation: Exclude<LoadOperation, "upload" | "set-metadata">): Buffer {
  switch (operation) {
    case "download":
      return encoded(downloadFile, { offset: 0, length: 0, ...example }, 0);
    case "info":
      return encoded(queryFileInfo, { headerStatus: 0, ...example }, 0);
    case "get-metadata":
      return encoded(getMetadata, example, 0);
    case "delete":
      return encoded(deleteFile, example, 0);
    case "query-fetch":
      return encoded(queryFetch, example, 0);
    case "query-store":
      return encoded(queryStore, undefined, 0);
    case "ping":
      return encoded(activeTest, undefined, 0);
  }
}

function encoded<Request, Reply>(
  message: Message<Request, Reply>,
  request: Request,
  payloadLength: number,
): Buffer {
  const writer = new WireWriter(headerSize + longestReference);
  writer.zeros(headerSize);
  message.request.encode(request, writer, narrowAddresses);
  const bytes = writer.bytes();
  const length = bytes.length - headerSize + payloadLength;
  writeHeader(bytes, 0, { length, command: message.command, status: 0 });
  return bytes;
}
