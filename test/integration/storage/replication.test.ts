/**
 * Goal: whatever a client does at one storage is done at the others of its group, also when storages are killed meanwhile, and a storage
 * that is asked for a file which it lacks gets it. Method: real nodes on loopback addresses of their own; what lies on the disks is compared.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";
import type { StorageCaller } from "../../support/storage-caller.ts";

const soonMs = 10_000;
let group: NodeGroup;
let callers: StorageCaller[];

beforeAll(async () => {
  group = await NodeGroup.start({ count: 3 });
  callers = await Promise.all([0, 1, 2].map((at) => group.caller(at)));
}, 60_000);

afterAll(async () => {
  for (const caller of callers ?? []) caller.close();
  await group?.[Symbol.asyncDispose]();
}, 60_000);

function at(index: number): StorageCaller {
  const caller = callers[index];
  if (caller === undefined) throw new Error(`there is no node ${index}`);
  return caller;
}

function bytes(length: number, seed: number): Buffer {
  const content = Buffer.allocUnsafe(length);
  for (let place = 0; place < length; place += 1) content[place] = (place * 31 + seed * 7) & 0xff;
  return content;
}

/** Until the disks of all nodes have this content. */
async function everywhere(filename: string, content: Buffer | undefined): Promise<void> {
  for (const node of [0, 1, 2]) {
    await eventually(soonMs, () => {
      const found = group.content(node, filename);
      return content === undefined ? found === undefined : found?.equals(content) === true;
    });
  }
}

test("files of all sizes reach every storage, and are deleted at every one", async () => {
  const sizes = [0, 1, 5000, 256 * 1024, 256 * 1024 + 1, 3_000_000];
  for (const [seed, size] of sizes.entries()) {
    const content = bytes(size, seed);
    const name = await at(seed % 3).upload(content);
    await everywhere(name, content);
    await at((seed + 1) % 3).remove(name);
    await everywhere(name, undefined);
  }
}, 60_000);

test("appender files follow through appends, modifications, truncations and their renaming", async () => {
  let content = bytes(1000, 1);
  const name = await at(1).upload(content, { appender: true, extension: "log" });
  const change = async (next: Buffer, work: Promise<void>): Promise<void> => {
    await work;
    content = next;
  };
  const more = bytes(700_000, 2);
  await change(Buffer.concat([content, more]), at(1).append(name, more));
  await everywhere(name, content);
  for (let turn = 0; turn < 20; turn += 1) {
    const tail = bytes(100, turn);
    await change(Buffer.concat([content, tail]), at(1).append(name, tail));
  }
  const part = bytes(400_000, 9);
  const modified = Buffer.from(content);
  modified.set(part, 100);
  await change(modified, at(1).modify(name, 100, part));
  await everywhere(name, content);
  await change(content.subarray(0, 5000), at(1).truncate(name, 5000));
  await everywhere(name, content);
  const renamed = await at(1).regenerate(name);
  await everywhere(renamed, content);
  await everywhere(name, undefined);
}, 60_000);

test("metadata and slave files follow", async () => {
  const name = await at(2).upload(bytes(100, 1));
  await at(2).setMetadata(name, "a\x021", "overwrite");
  await at(2).setMetadata(name, "b\x022", "merge");
  await everywhere(`${name}-m`, Buffer.from("a\x021\x01b\x022"));
  const slave = await at(2).uploadSlave(name, "_s", bytes(50, 2));
  await everywhere(slave, bytes(50, 2));
  await at(2).setMetadata(name, "", "overwrite");
  await everywhere(`${name}-m`, undefined);
  await at(0).remove(slave);
  await everywhere(slave, undefined);
}, 30_000);

test("what came from a peer is written in lower case, with the time that it has at its source", async () => {
  const name = await at(0).upload(bytes(10, 1));
  await everywhere(name, bytes(10, 1));
  const source = group.binlog(0).find((line) => line.includes(name));
  expect(source).toMatch(/^\d+ C /);
  for (const node of [1, 2]) {
    await eventually(soonMs, () =>
      group.binlog(node).includes((source ?? "").replace(" C ", " c ")),
    );
  }
});

test("a storage that was killed has everything soon after it is back", async () => {
  const names: [string, Buffer][] = [];
  const store = async (count: number, node: number): Promise<void> => {
    for (let seed = 0; seed < count; seed += 1) {
      const content = bytes(2000 + seed, seed);
      names.push([await at(node).upload(content), content]);
    }
  };
  await store(50, 0);
  await group.kill(1);
  await store(50, 0);
  await store(50, 2);
  await group.run(1);
  callers[1] = await group.caller(1);
  await store(20, 0);
  for (const [name, content] of names) await everywhere(name, content);
}, 60_000);

test("the source may be killed in the middle: what was acknowledged arrives", async () => {
  const names: [string, Buffer][] = [];
  let killed = false;
  const upload = async (seed: number): Promise<void> => {
    const caller = await group.caller(2);
    try {
      while (!killed) {
        const content = bytes(3000, names.length + seed);
        names.push([await caller.upload(content), content]);
      }
    } catch {
      // The node was killed: this one was not acknowledged.
    } finally {
      caller.close();
    }
  };
  const uploads = [1000, 2000, 3000, 4000].map(upload);
  await new Promise((resolve) => setTimeout(resolve, 700));
  await group.kill(2);
  killed = true;
  await Promise.all(uploads);
  await group.run(2);
  callers[2] = await group.caller(2);
  expect(names.length).toBeGreaterThan(20);
  for (const [name, content] of names) await everywhere(name, content);
}, 60_000);

test("a file that is missing is fetched from a peer, kept, and served; one that was deleted is not", async () => {
  const content = bytes(20_000, 3);
  const name = await at(0).upload(content, { extension: "jpg" });
  const slave = await at(0).uploadSlave(name, "_t", bytes(777, 4));
  await everywhere(name, content);
  await everywhere(slave, bytes(777, 4));
  // Behind the back of the storage: slaves are asked for whatever positions say.
  rmSync(join(group.store(1), "data", slave.slice(4)));
  expect(await at(1).download(slave)).toEqual(bytes(777, 4));
  expect(group.content(1, slave)).toEqual(bytes(777, 4));
  expect(crc32(bytes(777, 4))).toBe((await at(1).info(slave)).crc32 >>> 0);
  await at(1).remove(slave);
  expect(await statusOf(at(1).download(slave))).toBe(2);
  await everywhere(slave, undefined);
}, 30_000);

test("a file that cannot be read here is set aside, had from a peer, and the rest goes on", async () => {
  // Node 2 is away while the file is damaged on the only storage that would send it.
  await group.kill(2);
  const content = bytes(4000, 5);
  const damagedName = await at(0).upload(content);
  await eventually(soonMs, () => group.content(1, damagedName) !== undefined);
  writeFileSync(join(group.store(0), "data", damagedName.slice(4)), bytes(4000, 6));
  const later = await at(0).upload(bytes(100, 7));
  await group.run(2);
  callers[2] = await group.caller(2);
  await everywhere(later, bytes(100, 7));
  await everywhere(damagedName, content);
}, 60_000);

test("a node that is stopped right after its start, while it connects to its peer, ends", async () => {
  await using group = await NodeGroup.start({ count: 2 });
  await group.stop(1);
  for (let round = 0; round < 3; round += 1) {
    await group.run(1);
    const started = performance.now();
    await group.stop(1);
    expect(performance.now() - started).toBeLessThan(10_000);
  }
});
