/**
 * Goal: with deduplication on, clients see what they see of any FastDFS storage, while a content takes the room of one.
 * Method: a whole node, and client libraries that this project did not write; what lies on the disk is looked at beside them.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { foreignClients } from "../conformance/foreign-clients.ts";
import { pattern } from "../support/frame-fixture.ts";
import { LiveNode } from "../support/live-node.ts";

const settings = (): readonly string[] => ["storage.dedup=true"];

/** Files below `data/`, without our own. */
function filesOf(store: string): readonly string[] {
  const names = readdirSync(join(store, "data"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => /^[0-9A-F]{2}\/[0-9A-F]{2}\/[^/]+$/.test(name));
}

function inodesOf(node: LiveNode): number {
  const paths = filesOf(node.store).map((name) => join(node.store, "data", name));
  return new Set(paths.map((path) => statSync(path).ino)).size;
}

for (const client of foreignClients) {
  const { name } = client(1);
  test(`${name} sees files of their own, whose content is stored once`, async () => {
    await using node = await LiveNode.start(settings);
    const foreign = client(node.tracker.port);
    for (const content of [pattern(4096), pattern(700_000)]) {
      const before = inodesOf(node);
      const ids: string[] = [];
      for (let count = 0; count < 4; count += 1) ids.push(await foreign.upload(content, "jpg"));
      expect(new Set(ids).size).toBe(4);
      expect(inodesOf(node)).toBe(before + 1);
      const sum = crc32(content);
      for (const id of ids) {
        expect((await foreign.download(id)).equals(content)).toBe(true);
        const info = await foreign.info(id);
        expect(info.size).toBe(content.length);
        if (!foreign.roundsCrc) expect(info.crc32).toBe(sum);
      }
      const [first = "", second = "", ...others] = ids;
      await foreign.setMetadata(first, { colour: "red" }, "O");
      await foreign.setMetadata(second, { colour: "blue" }, "O");
      await foreign.remove(first);
      expect(await foreign.getMetadata(second)).toEqual({ colour: "blue" });
      await expect(foreign.info(first)).rejects.toThrow();
      for (const id of [second, ...others]) {
        expect((await foreign.download(id)).equals(content)).toBe(true);
        await foreign.remove(id);
      }
      expect(inodesOf(node)).toBe(before);
    }
  });
}

test("a killed node finds its contents again; duplicates are counted as links besides", async () => {
  await using node = await LiveNode.start(settings);
  const client = foreignClients[0]?.(node.tracker.port);
  if (client === undefined) throw new Error("there is no client");
  const content = pattern(50_000);
  const ids = [await client.upload(content, "bin"), await client.upload(content, "bin")];
  await node.process.kill();
  await node.restart();
  ids.push(await client.upload(content, "bin"));
  await node.process.stop();
  await node.restart();
  ids.push(await client.upload(content, "bin"));
  for (const id of ids) expect((await client.download(id)).equals(content)).toBe(true);
  // The kill may have come before the index was written.
  expect(inodesOf(node)).toBeLessThanOrEqual(2);
  const metrics = await fetch(`http://127.0.0.1:${node.process.ports.gateway}/metrics`);
  expect(await metrics.text()).toMatch(
    /storage_operations\S*kind="linkCreations"\S*success\S* [1-9]/,
  );
});

test("uploads over HTTP share content with those over FastDFS", async () => {
  await using node = await LiveNode.start(settings);
  const client = foreignClients[0]?.(node.tracker.port);
  if (client === undefined) throw new Error("there is no client");
  const content = pattern(100_000);
  const id = await client.upload(content, "bin");
  const url = `http://127.0.0.1:${node.process.ports.gateway}`;
  const stored = await fetch(`${url}/`, { method: "POST", body: content });
  expect(stored.status).toBeLessThan(300);
  expect(inodesOf(node)).toBe(1);
  expect(filesOf(node.store)).toHaveLength(2);
  expect((await client.download(id)).equals(content)).toBe(true);
});
