/**
 * Goal: a C storage that lost a store path gets its list from us, to the byte (protocol §2.7/26), and our own reader understands both.
 * Method: a real node, asked as C asks.
 */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { fetchOnePathBinlog } from "#protocol/fastdfs/storage-sync.ts";
import { collectList, listedFiles } from "#sync/recovery/path-list.ts";
import { LiveNode, statusOf, storable } from "../../../support/live-node.ts";
import { StorageCaller } from "../../../support/storage-caller.ts";

test("the list has what is there, ends with its length, and then the connection ends", async () => {
  await using node = await LiveNode.start();
  await storable(node.tracker);
  const caller = await StorageCaller.connect(node.storage.port);
  const names: string[] = [];
  for (let at = 0; at < 3000; at += 1) names.push(await caller.upload(Buffer.from(`${at}`)));
  const [deleted = "", lost = "", ...kept] = names;
  await caller.remove(deleted);
  unlinkSync(join(node.store, "data", lost.slice(4)));
  const where = { ...node.storage, timeoutMs: 2000 };
  const options = { network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 5000 };
  const client = await FrameClient.connect(where, options);
  const flow = await client.download(fetchOnePathBinlog, { group: "group1", storePathIndex: 0 });
  expect(flow.length).toBe(2 ** 58);
  const found = [...listedFiles(await collectList(flow))].map(({ name }) => name);
  expect(found).toEqual(kept);
  expect(client.usable).toBe(false);
  caller.close();
}, 60_000);

test("what cannot be answered is refused before the endless reply begins", async () => {
  await using node = await LiveNode.start();
  await storable(node.tracker);
  const options = { network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 5000 };
  const client = await FrameClient.connect({ ...node.storage, timeoutMs: 2000 }, options);
  const ask = (group: string, storePathIndex: number) =>
    statusOf(client.download(fetchOnePathBinlog, { group, storePathIndex }));
  expect(await ask("group2", 0)).toBe(22);
  expect(await ask("group1", 7)).toBe(22);
  client.destroy();
  // An empty path has an empty list.
  const again = await FrameClient.connect({ ...node.storage, timeoutMs: 2000 }, options);
  const flow = await again.download(fetchOnePathBinlog, { group: "group1", storePathIndex: 0 });
  expect([...listedFiles(await collectList(flow))]).toEqual([]);
}, 60_000);
