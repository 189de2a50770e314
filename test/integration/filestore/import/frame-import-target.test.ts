/** Storing what is imported, through a real storage role over engines in memory. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { FrameImportTarget } from "#filestore/import/frame-import-target.ts";
import { sourceOfBytes } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { storageStage } from "../../../support/storage-stage.ts";

const world = { network: new NodeNetwork(), clock: nodeClock };
const slave = { prefix: "_s", extension: "bin" };

test("files of each kind are stored, and what is wrong goes", async () => {
  await using stage = await storageStage();
  const where = { address: "127.0.0.1", port: stage.role.port, group: "group1" };
  const target = new FrameImportTarget(where, world);
  const content = Buffer.from("content");
  const name = await target.store("normal", "txt", sourceOfBytes(content));
  expect(await target.facts(name)).toEqual({ sizeBytes: 7, crc32: crc32(content) });
  const appender = await target.store("appender", "log", sourceOfBytes(content));
  expect(await target.facts(appender)).toEqual({ sizeBytes: 7, crc32: crc32(content) });
  await target.setMetadata(name, Buffer.from("a\x021"));
  const made = await target.storeSlave({ master: name, ...slave }, sourceOfBytes(content));
  expect((await target.facts(made)).sizeBytes).toBe(7);
  await target.remove(appender);
  await expect(target.facts(appender)).rejects.toMatchObject({ status: 2 });
  target.close();
});

test("a storage that is not there is named", async () => {
  const target = new FrameImportTarget({ address: "127.0.0.1", port: 1, group: "group1" }, world);
  await expect(target.facts("M00/00/00/x")).rejects.toThrow("127.0.0.1:1 cannot be reached");
});
