/** Requests of the generator, read as a server reads them. */
import { expect, test } from "vitest";
import { contentInHeadBytes } from "#client/load/limits.ts";
import { isLoadOperation, loadOperations, operationFacts } from "#client/load/load-operation.ts";
import {
  FileRequests,
  isReference,
  type LoadRequest,
  metadataRequest,
  patternOf,
  UploadRequests,
} from "#client/load/load-requests.ts";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import {
  deleteFile,
  downloadFile,
  queryFileInfo,
  uploadFile,
} from "#protocol/fastdfs/storage-files.ts";
import { getMetadata, setMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { queryFetch } from "#protocol/fastdfs/tracker-queries.ts";
import { headerSize, readLength } from "#protocol/header.ts";
import type { Message } from "#protocol/message.ts";

const filename = "M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const reference = Buffer.alloc(16 + filename.length);
reference.write("pictures", 0);
reference.write(filename, 16);

function decoded<Request, Reply>(message: Message<Request, Reply>, request: LoadRequest): Request {
  const { bytes } = request;
  expect(bytes[8]).toBe(message.command);
  expect(readLength(bytes, 0)).toBe(bytes.length - headerSize + request.patternLength);
  const reader = new WireReader(bytes, headerSize);
  return message.request.decode(reader, narrowAddresses);
}

test("requests about a file name it", () => {
  const about = { group: "pictures", filename };
  const of = (operation: "download" | "info" | "get-metadata" | "delete" | "query-fetch") =>
    new FileRequests(operation).about(reference);
  expect(decoded(downloadFile, of("download"))).toEqual({ ...about, offset: 0, length: 0 });
  expect(decoded(queryFileInfo, of("info"))).toMatchObject(about);
  expect(decoded(getMetadata, of("get-metadata"))).toEqual(about);
  expect(decoded(deleteFile, of("delete"))).toEqual(about);
  expect(decoded(queryFetch, of("query-fetch"))).toEqual(about);
  const set = decoded(setMetadata, metadataRequest(reference));
  expect(set).toMatchObject({ ...about, mode: "overwrite" });
  const sixteen = Buffer.from(`abcdefghijklmnop${filename}`);
  const long = decoded(setMetadata, metadataRequest(sixteen));
  expect(long.group).toBe("abcdefghijklmnop");
});

test("names of other lengths follow each other in one buffer", () => {
  const requests = new FileRequests("delete");
  const short = Buffer.concat([reference.subarray(0, 16), Buffer.from("M00/00/00/short.bin")]);
  requests.about(reference);
  expect(decoded(deleteFile, requests.about(short)).filename).toBe("M00/00/00/short.bin");
});

test("what asks about no file has no body", () => {
  for (const operation of ["query-store", "ping"] as const) {
    const { bytes } = new FileRequests(operation).plain();
    expect([bytes.length, readLength(bytes, 0)]).toEqual([headerSize, 0]);
  }
});

test("uploads announce their size, and content beyond the head is left to the pattern", () => {
  const pattern = patternOf(1, 256 * 1024);
  for (const size of [0, 1, 15, 4096, contentInHeadBytes, contentInHeadBytes + 1, 2 ** 33]) {
    const request = new UploadRequests(size, pattern, 9).next(1);
    expect(decoded(uploadFile, request)).toEqual({
      storePathIndex: 255,
      fileSize: size,
      extension: "bin",
    });
    expect(request.patternLength).toBe(Math.max(0, size - contentInHeadBytes));
  }
});

test("content differs from one upload to the next, and from run to run", () => {
  const pattern = patternOf(1, 1024);
  const first = new UploadRequests(64, pattern, 1);
  const other = new UploadRequests(64, pattern, 2);
  const content = (requests: UploadRequests, number: number): string =>
    Buffer.from(requests.next(number).bytes).toString("hex");
  const contents = [content(first, 1), content(first, 2), content(first, 256), content(other, 1)];
  expect(new Set(contents).size).toBe(4);
  expect(patternOf(1, 64)).not.toEqual(patternOf(2, 64));
  expect(patternOf(0, 64)).not.toEqual(Buffer.alloc(64));
});

test("only what is a group and a name is taken for one", () => {
  const of = (group: string, name: string): Buffer => {
    const bytes = Buffer.alloc(16 + name.length);
    bytes.write(group, 0, "latin1");
    bytes.write(name, 16, "latin1");
    return bytes;
  };
  expect(isReference(reference)).toBe(true);
  expect(isReference(of("abcdefghijklmnop", filename))).toBe(true);
  expect(isReference(of("g", "n".repeat(127)))).toBe(true);
  const wrong = [
    ...[of("g", "n".repeat(128)), of("g", ""), Buffer.alloc(0), of("", "name"), of("g", "a b")],
    ...[of("g", "a\u0000b"), of("g", "\u00e4"), of("g\u00e4", "name"), of("g\u0000h", "name")],
  ];
  expect(wrong.map(isReference)).toEqual(wrong.map(() => false));
});

test("every operation is known by its word", () => {
  expect(loadOperations.every(isLoadOperation)).toBe(true);
  expect(isLoadOperation("list")).toBe(false);
  expect(Object.keys(operationFacts)).toEqual([...loadOperations]);
});
