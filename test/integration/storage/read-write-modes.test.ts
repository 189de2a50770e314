/**
 * Goal: a node whose settings let clients only read, or only write, is sent those alone, refuses the others, and replicates all the same.
 * Method: two real nodes of a group; the tracker is asked as clients ask, and each storage directly.
 */
import { expect, test } from "vitest";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";

const accessDenied = 13;
const limitMs = 60_000;
const letters = Buffer.from("letters");

test(
  "uploads go to the node that takes them, reads to the one that gives, and both have every file",
  async () => {
    await using group = await NodeGroup.start({ count: 2 });
    await group.stop(1);
    await group.run(1, ["storage.mode=read"]);
    await using client = new FastdfsClient({
      trackers: [{ address: group.address(0), port: group.ports.tracker }],
      network: new NodeNetwork(),
      clock: nodeClock,
    });
    const modes = async (): Promise<string> => {
      const storages = await client.listStorages("group1");
      return storages.map(({ status, mode }) => `${status} ${mode}`).join();
    };
    await eventually(20_000, async () => (await modes()) === "7 6,7 4");
    for (let at = 0; at < 6; at += 1) {
      const id = await client.upload(Buffer.from(`file ${at}`));
      expect(id).toMatch(/^group1\/M00/);
    }
    const writers = await client.listWriters({ group: "group1" });
    expect(writers.map(({ address }) => address)).toEqual([group.address(0)]);
    const reader = await group.caller(1);
    expect(await statusOf(reader.upload(letters))).toBe(accessDenied);
    reader.close();
    const writer = await group.caller(0);
    const name = await writer.upload(letters);
    writer.close();
    await eventually(20_000, () => group.content(1, name)?.equals(letters) === true);
    await group.stop(0);
    await group.run(0, ["storage.mode=write"]);
    await eventually(20_000, async () => (await modes()) === "7 2,7 4");
    const readers = await client.locate(`group1/${name}`);
    expect(readers.map(({ address }) => address)).toEqual([group.address(1)]);
    expect(await client.downloadBytes(`group1/${name}`)).toEqual(letters);
    const refusing = await group.caller(0);
    expect(await statusOf(refusing.download(name))).toBe(accessDenied);
    refusing.close();
  },
  limitMs,
);
