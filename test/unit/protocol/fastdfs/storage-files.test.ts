import { expect, test } from "vitest";
import { narrowAddresses, WireReader, wideAddresses } from "#protocol/codec.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

const name = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const invalid = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });

test("an upload of any size is read without its content", () => {
  const { uploadFile } = storageFiles;
  const reader = new WireReader(body(255, { i64: 2 ** 40 }, ["txt", 6], "content"));
  const request = uploadFile.request.decode(reader, narrowAddresses);
  expect(request).toEqual({ storePathIndex: 255, fileSize: 2 ** 40, extension: "txt" });
  expect(uploadFile.payloadSize(request)).toBe(2 ** 40);
  expect(reader.remaining).toBe(7);
  expect(() => decoded(uploadFile.request, body(0, { i64: -1 }, ["", 6]))).toThrow(invalid);
});

test("the names of masters and appenders keep their lengths", () => {
  const slave = (length: number) =>
    body({ i64: length }, { i64: 0 }, ["_s", 16], ["jpg", 6], "m".repeat(200));
  const append = (length: number) => body({ i64: length }, { i64: 0 }, "m".repeat(200));
  const lengthOf = (length: number): number =>
    decoded(storageFiles.uploadSlaveFile.request, slave(length)).masterFilename.length;
  expect([lengthOf(11), lengthOf(127)]).toEqual([11, 127]);
  for (const length of [-1, 0, 10, 128]) expect(() => lengthOf(length)).toThrow(invalid);
  const appender = (length: number): number =>
    decoded(storageFiles.appendFile.request, append(length)).filename.length;
  expect([appender(44), appender(127)]).toEqual([44, 127]);
  for (const length of [0, 43, 128, 2 ** 50]) expect(() => appender(length)).toThrow(invalid);
});

test("a name alone is the whole request for another name", () => {
  const { request } = storageFiles.regenerateAppenderFilename;
  expect(decoded(request, body(name))).toEqual({ filename: name });
  expect(() => decoded(request, body("M00/00/00/short"))).toThrow(invalid);
});

test("echoes of requests without effect are dropped (protocol §2.6/24)", () => {
  const echo = body({ i64: 44 }, { i64: 0 }, name);
  for (const message of [
    storageFiles.appendFile,
    storageFiles.modifyFile,
    storageFiles.truncateFile,
  ]) {
    expect(decoded(message.reply, echo)).toBeUndefined();
    expect(encoded(message.reply, undefined)).toHaveLength(0);
  }
});

test("a stored file has a group and a name", () => {
  const { reply } = storageFiles.uploadFile;
  expect(decoded(reply, body(["group1", 16], name))).toEqual({ group: "group1", filename: name });
  expect(() => decoded(reply, body(["group1", 16]))).toThrow(invalid);
  expect(() => decoded(reply, body(["not/a/group", 16], name))).toThrow(invalid);
});

test("a CRC-32 is unsigned here and sign-extended on the wire, in both widths", () => {
  const { queryFileInfo } = storageFiles;
  const info = { fileSize: 5, modifiedAt: 9, crc32: 0x85bc2385, sourceAddress: "10.9.0.2" };
  const narrow = encoded(queryFileInfo.reply, info);
  expect([narrow.length, narrow.toString("hex", 16, 24)]).toEqual([40, "ffffffff85bc2385"]);
  const wide = encoded(queryFileInfo.reply, info, wideAddresses);
  expect(wide).toHaveLength(70);
  expect([decoded(queryFileInfo.reply, narrow), decoded(queryFileInfo.reply, wide)]).toEqual([
    info,
    info,
  ]);
  narrow.fill(0, 16, 20);
  expect(decoded(queryFileInfo.reply, narrow).crc32).toBe(0x85bc2385);
  expect(() => decoded(queryFileInfo.reply, narrow.subarray(1))).toThrow(invalid);
});

test("flags of a question for file info travel in the header", () => {
  const { queryFileInfo } = storageFiles;
  const bytes = body(["group1", 16], name);
  const request = decoded(queryFileInfo.request, bytes, { ...narrowAddresses, requestStatus: 3 });
  expect(request).toEqual({ headerStatus: 3, group: "group1", filename: name });
  expect(queryFileInfo.statusOfRequest?.(request)).toBe(3);
});

test("a range is not negative, and a name not empty", () => {
  const request = (offset: number, length: number, filename: string): unknown =>
    decoded(
      storageFiles.downloadFile.request,
      body({ i64: offset }, { i64: length }, ["group1", 16], filename),
    );
  expect(request(1, 0, name)).toEqual({ offset: 1, length: 0, group: "group1", filename: name });
  expect(() => request(-1, 0, name)).toThrow(invalid);
  expect(() => request(0, -1, name)).toThrow(invalid);
  expect(() => request(0, 0, "")).toThrow(invalid);
});

test("the names of a link have 256 bytes together", () => {
  const { request } = storageFiles.createLink;
  const link = (master: number, source: number, signature: number) => ({
    ...{ group: "group1", prefix: "", extension: "", masterFilename: "m".repeat(master) },
    ...{ sourceFilename: "s".repeat(source), signature: Buffer.alloc(signature, 1) },
  });
  expect(decoded(request, encoded(request, link(100, 127, 29)))).toEqual(link(100, 127, 29));
  for (const [master = 0, source = 0, signature = 0] of [
    [100, 127, 30],
    [0, 0, 1],
    [0, 1, 0],
    [0, 1, 64],
  ]) {
    expect(() => encoded(request, link(master, source, signature))).toThrow(invalid);
  }
});
