/**
 * Goal: FastDFS clients that we did not write cannot tell a Cairn node from FastDFS.
 * Method: each of three npm clients runs the same exchanges against a whole node, by way of its tracker. What they cannot do
 * against C FastDFS 6.16.1 either is left out, and why: none offers slaves, truncating or regenerating; `fdfs` and
 * `fastdfs-client` list groups and storages in the record sizes of 2015 (105 and 600 bytes, since 6.13.1 they are 113 and
 * 487) and fail; `fdfs-client` throws a TypeError for an unknown group; none understands addresses of 46 bytes.
 */
import { randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeProcess } from "../support/node-process.ts";
import { type ForeignClient, foreignClients } from "./foreign-clients.ts";

const small = randomBytes(1234);
const large = randomBytes(3 * 1024 * 1024 + 17);
let folder: string;
let node: NodeProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cairn-conformance-"));
  writeFileSync(join(folder, "photo.jpg"), small);
  writeFileSync(join(folder, "large.bin"), large);
  node = await NodeProcess.start({ dataDirectory: folder });
});

afterAll(async () => {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fileId = /^group1\/M00\/[0-9A-F]{2}\/[0-9A-F]{2}\/[\w-]{27}[\w.]{7}$/;

for (const make of foreignClients) {
  const { name } = make(1);
  const client = (): ForeignClient => make(node.ports.tracker);
  describe(`${name} stores`, () => storing(client));
  describe(`${name} describes and changes`, () => changing(client));
}

function storing(connect: () => ForeignClient): void {
  let client: ForeignClient;
  beforeAll(() => {
    client = connect();
  });

  test("stores and fetches a buffer, a file and a stream", async () => {
    const fromBuffer = await client.upload(small, "jpg");
    expect(fromBuffer).toMatch(fileId);
    expect(fromBuffer.endsWith(".jpg")).toBe(true);
    expect(await client.download(fromBuffer)).toEqual(small);
    const fromFile = await client.uploadFile(join(folder, "large.bin"));
    expect(await client.download(fromFile)).toEqual(large);
    const stream = createReadStream(join(folder, "large.bin"));
    const fromStream = await client.uploadStream?.(stream, large.length, "bin");
    if (fromStream !== undefined) expect(await client.download(fromStream)).toEqual(large);
  });

  test("stores into a named group, and is told when there is no such group", async () => {
    expect(await client.upload(small, "txt", "group1")).toMatch(fileId);
    await expect(client.upload(small, "txt", "nogroup")).rejects.toThrow();
  });

  test("fetches ranges, also past the end", async () => {
    const id = await client.upload(large, "bin");
    const range = (offset: number, bytes: number) => client.download(id, { offset, bytes });
    expect(await range(1_000_000, 70_000)).toEqual(large.subarray(1_000_000, 1_070_000));
    expect(await range(large.length - 500, 0)).toEqual(large.subarray(-500));
    expect(await range(large.length - 500, 1000)).toEqual(large.subarray(-500));
  });

  test("stores an empty file; fetching it answers 22, as the reference does", async () => {
    const id = await client.upload(Buffer.alloc(0), "txt");
    expect((await client.info(id)).size).toBe(0);
    await expect(client.download(id)).rejects.toThrow(/22/);
    expect(await client.download(await client.upload(small, "txt"))).toEqual(small);
  });
}

function changing(connect: () => ForeignClient): void {
  let client: ForeignClient;
  beforeAll(() => {
    client = connect();
  });

  test("sets, merges and reads metadata", async () => {
    const id = await client.upload(small, "jpg");
    await client.setMetadata(id, { width: "160", name: "näme", author: "x y" }, "O");
    expect(await client.getMetadata(id)).toEqual({ width: "160", name: "näme", author: "x y" });
    await client.setMetadata(id, { width: "200", height: "9" }, "M");
    expect(await client.getMetadata(id)).toEqual({
      width: "200",
      height: "9",
      name: "näme",
      author: "x y",
    });
  });

  test("is told size and CRC-32", async () => {
    const id = await client.upload(large, "bin");
    const info = await client.info(id);
    expect(info.size).toBe(large.length);
    // Rounded also upwards, so that bits above those which are lost may differ.
    const tolerance = client.roundsCrc ? 4096 : 0;
    expect(Math.abs(info.crc32 - crc32(large))).toBeLessThanOrEqual(tolerance);
  });

  test("appends to and modifies an appender file", async () => {
    const id = await client.uploadAppender?.(small, "log");
    if (id === undefined) return;
    await client.append?.(id, Buffer.from("more data"));
    await client.modify?.(id, 10, Buffer.from("MODIFIED"));
    const expected = Buffer.concat([small, Buffer.from("more data")]);
    expected.write("MODIFIED", 10);
    expect(await client.download(id)).toEqual(expected);
  });

  test("deletes, and is told afterwards that nothing is there", async () => {
    const id = await client.upload(small, "jpg");
    await client.remove(id);
    await expect(client.download(id)).rejects.toThrow();
    await expect(client.info(id)).rejects.toThrow();
    await expect(client.remove(id)).rejects.toThrow();
  });

  test("works twenty at a time", async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const content = randomBytes(2000 + index * 997);
        const id = await client.upload(content, "dat");
        expect(await client.download(id)).toEqual(content);
      }),
    );
  });
}
