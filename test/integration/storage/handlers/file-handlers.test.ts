/** What clients ask about files, through sockets: statuses, counts and log lines; the engine behind is a fake. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { collect, sourceOfBytes } from "#net/byte-flow.ts";
import type { FrameClient } from "#net/frame-client.ts";
import {
  appendFile,
  createLink,
  deleteFile,
  downloadFile,
  modifyFile,
  queryFileInfo,
  regenerateAppenderFilename,
  truncateFile,
  uploadAppenderFile,
  uploadFile,
  uploadSlaveFile,
} from "#protocol/fastdfs/storage-files.ts";
import { pattern } from "../../../support/frame-fixture.ts";
import { storageStage } from "../../../support/storage-stage.ts";

const anyPath = 255;

async function upload(
  client: FrameClient,
  bytes: Uint8Array,
  how: { readonly appender?: boolean; readonly path?: number } = {},
): Promise<string> {
  const message = how.appender === true ? uploadAppenderFile : uploadFile;
  const request = {
    storePathIndex: how.path ?? anyPath,
    fileSize: bytes.length,
    extension: "bin",
  };
  const stored = await client.upload(message, request, sourceOfBytes(bytes));
  expect(stored.group).toBe("group1");
  return stored.filename;
}

const inGroup = (filename: string) => ({ group: "group1", filename });

test("files are stored, read in ranges, described and deleted", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const filename = await upload(client, pattern(300_000));
  const read = async (offset: number, length: number): Promise<Buffer> =>
    collect(await client.download(downloadFile, { ...inGroup(filename), offset, length }));
  expect((await read(0, 0)).equals(pattern(300_000))).toBe(true);
  expect(await read(100, 50)).toEqual(pattern(300_000).subarray(100, 150));
  expect(await read(299_990, 50)).toEqual(pattern(300_000).subarray(299_990));
  const info = await client.call(queryFileInfo, { ...inGroup(filename), headerStatus: 0 });
  expect(info).toMatchObject({ fileSize: 300_000, crc32: crc32(pattern(300_000)) });
  await client.call(deleteFile, inGroup(filename));
  await expect(client.call(deleteFile, inGroup(filename))).rejects.toMatchObject({ status: 2 });
  const gone = client.download(downloadFile, { ...inGroup(filename), offset: 0, length: 0 });
  await expect(gone).rejects.toMatchObject({ status: 2 });
});

test("appender files are appended to, modified, truncated and made normal", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  // The fake engine's names are shorter than an appender's; these commands want at least 44 bytes.
  const engine = stage.workers.started[0]?.engine;
  const filename = `M00/00/00/${"x".repeat(40)}`;
  engine?.files.set(filename, { content: pattern(10), metadata: undefined });
  await client.upload(appendFile, { filename, length: 5 }, sourceOfBytes(pattern(5)));
  await client.upload(
    modifyFile,
    { filename, offset: 1, length: 2 },
    sourceOfBytes(Buffer.from("ab")),
  );
  await client.call(truncateFile, { filename, fileSize: 12 });
  const expected = Buffer.concat([pattern(10), pattern(5)]).subarray(0, 12);
  expected.write("ab", 1);
  expect(engine?.files.get(filename)?.content).toEqual(expected);
  const renamed = await client.call(regenerateAppenderFilename, { filename });
  expect(engine?.files.get(renamed.filename)?.content).toEqual(expected);
  expect(engine?.files.has(filename)).toBe(false);
  expect(stage.accessLines.at(-1)).toContain(`rename ${filename}=>${renamed.filename} 0`);
});

test("slave files are stored beside their master", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const masterFilename = await upload(client, pattern(10));
  const request = { masterFilename, fileSize: 5, prefix: "_s", extension: "jpg" };
  await client.upload(uploadSlaveFile, request, sourceOfBytes(pattern(5)));
  expect(stage.workers.started[0]?.engine.files.size).toBe(2);
});

test("what is not allowed is EINVAL, and no error of ours", async () => {
  await using stage = await storageStage();
  const first = await stage.client();
  const filename = await upload(first, pattern(10));
  const refused = [
    (client: FrameClient) => client.call(deleteFile, { group: "group2", filename }),
    (client: FrameClient) => client.call(deleteFile, inGroup("M00/00/00/../../../../etc/passwd")),
    (client: FrameClient) => client.call(deleteFile, inGroup("M07/00/00/nowhere-at-all")),
    (client: FrameClient) => upload(client, pattern(10), { path: 200 }),
    (client: FrameClient) => upload(client, pattern(10), { path: 3 }),
    (client: FrameClient) =>
      client.download(downloadFile, { ...inGroup(filename), offset: 10, length: 0 }),
    (client: FrameClient) =>
      client.download(downloadFile, { group: "other", filename, offset: 0, length: 0 }),
  ];
  for (const ask of refused) {
    const client = await stage.client();
    await expect(ask(client)).rejects.toMatchObject({ status: 22 });
  }
  expect(stage.records.filter((record) => record.level === "error")).toEqual([]);
});

test("a link is another name, counted and logged as such", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const filename = await upload(client, pattern(10));
  const request = {
    masterFilename: "",
    sourceFilename: filename,
    signature: Buffer.from("x"),
    group: "group1",
    prefix: "",
    extension: "lnk",
  };
  const linked = await client.call(createLink, request);
  expect(linked.group).toBe("group1");
  const info = await client.call(queryFileInfo, {
    headerStatus: 0,
    group: "group1",
    filename: linked.filename,
  });
  expect(info.fileSize).toBe(10);
  const missing = { ...request, sourceFilename: filename.replace(".bin", ".xyz") };
  await expect(client.call(createLink, missing)).rejects.toMatchObject({ status: 2 });
  const foreign = { ...request, group: "other" };
  await expect(client.call(createLink, foreign)).rejects.toMatchObject({ status: 22 });
  const counts = Object.fromEntries(stage.role.snapshot().counters.entries());
  expect(counts).toMatchObject({ linkCreations: { total: 3, success: 1 } });
  expect(stage.accessLines.filter((line) => line.includes(" link "))).toHaveLength(3);
});

test("a full disk and a disk that fails reach the client as the system's own errors", async () => {
  await using stage = await storageStage();
  const engine = stage.workers.started[0]?.engine;
  if (engine === undefined) throw new Error("no engine");
  engine.failWritesAt = 100_000;
  await expect(upload(await stage.client(), pattern(2_000_000))).rejects.toMatchObject({
    status: 28,
  });
  engine.failWritesAt = Number.POSITIVE_INFINITY;
  engine.failCommits.add("*");
  await expect(upload(await stage.client(), pattern(10))).rejects.toMatchObject({ status: 5 });
  engine.failCommits.clear();
  await upload(await stage.client(), pattern(10));
});

test("modes: a storage set to read takes no changes, one set to write answers no reads", async () => {
  await using reading = await storageStage({ mode: "read" });
  await expect(upload(await reading.client(), pattern(10))).rejects.toMatchObject({ status: 13 });
  await using writing = await storageStage({ mode: "write" });
  const client = await writing.client();
  const filename = await upload(client, pattern(10));
  const read = client.download(downloadFile, { ...inGroup(filename), offset: 0, length: 0 });
  await expect(read).rejects.toMatchObject({ status: 13 });
});

test("attempts and successes are counted and logged", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const filename = await upload(client, pattern(1000));
  await collect(
    await client.download(downloadFile, { ...inGroup(filename), offset: 0, length: 0 }),
  );
  await expect(client.call(deleteFile, inGroup("M00/00/00/none-such"))).rejects.toThrow();
  const counts = Object.fromEntries(stage.role.snapshot().counters.entries());
  expect(counts).toMatchObject({
    uploads: { total: 1, success: 1 },
    uploadBytes: { total: 1000, success: 1000 },
    downloads: { total: 1, success: 1 },
    downloadBytes: { total: 1000, success: 1000 },
    deletes: { total: 1, success: 0 },
  });
  const logged = stage.accessLines.map((line) => line.split(" ").slice(2, 6).join(" "));
  expect(logged).toEqual([
    `127.0.0.1 upload ${filename} 0`,
    `127.0.0.1 download ${filename} 0`,
    "127.0.0.1 delete M00/00/00/none-such 2",
  ]);
});
