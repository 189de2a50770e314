/**
 * Goal: what rots on one node's disk is found by its scrub and comes back from a peer, in every kind of file, and a receipt tells who holds
 * what. Method: two real nodes; bytes flipped on the first one's disk, with the times of the files as they were.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ControlClient } from "#cli/control-client.ts";
import {
  orderScrub,
  type PathScrubReport,
  receipt,
  reportScrub,
} from "#control/operations/files.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";
import type { StorageCaller } from "../../support/storage-caller.ts";

const soonMs = 40_000;
let group: NodeGroup;
let callers: StorageCaller[];

beforeAll(async () => {
  group = await NodeGroup.start({
    count: 2,
    settings: ["storage.packing=on", "tracker.trunk.slot_max_size=4KiB"],
  });
  callers = await Promise.all([0, 1].map((at) => group.caller(at)));
}, 120_000);

afterAll(async () => {
  for (const caller of callers ?? []) caller.close();
  await group?.[Symbol.asyncDispose]();
}, 120_000);

function at(index: number): StorageCaller {
  const caller = callers[index];
  if (caller === undefined) throw new Error(`there is no node ${index}`);
  return caller;
}

function control(node: number): ControlClient {
  const path = join(group.folder, String(node), "cairn.sock");
  return new ControlClient({ network: new NodeNetwork(), clock: nodeClock, path });
}

const never = new AbortController().signal;

async function scrubbed(node: number): Promise<PathScrubReport> {
  await control(node).ask(orderScrub, { order: "start" }, never);
  let found: PathScrubReport | undefined;
  await eventually(soonMs, async () => {
    [found] = (await control(node).ask(reportScrub, {}, never)).paths;
    return found?.state === "idle" && found.open.every(({ state }) => state !== "found");
  });
  if (found === undefined) throw new Error("no store path");
  return found;
}

/** On the disk of the first node, as rot does. */
function flip(path: string, where: number): void {
  const { atime, mtime } = statSync(path);
  const content = readFileSync(path);
  content[where] = (content[where] ?? 0) ^ 0x10;
  writeFileSync(path, content);
  utimesSync(path, atime, mtime);
}

function pathOf(name: string): string {
  return join(group.store(0), "data", name.slice(4));
}

test("a normal file that rotted is had from the peer, and one that was cut as well", async () => {
  const content = Buffer.alloc(300_000, "n");
  const names = [await at(0).upload(content), await at(1).upload(content)];
  for (const name of names) {
    await eventually(soonMs, () => group.content(0, name)?.equals(content) === true);
    await eventually(soonMs, () => group.content(1, name)?.equals(content) === true);
  }
  flip(pathOf(names[0] ?? ""), 150_000);
  writeFileSync(pathOf(names[1] ?? ""), content.subarray(0, 1000));
  const report = await scrubbed(0);
  expect(report).toMatchObject({ damaged: 2, openTotal: 0 });
  for (const name of names) expect(group.content(0, name)?.equals(content)).toBe(true);
}, 120_000);

test("packed files that rotted are had from the peer, by header and by content", async () => {
  const contents = ["a", "b", "c"].map((text) => Buffer.from(text.repeat(900)));
  const names: string[] = [];
  for (const content of contents) names.push(await at(0).upload(content));
  const trunk = (node: number): string | undefined => {
    const below = join(group.store(node), "data/00/00");
    if (!existsSync(below)) return undefined;
    const [base] = readdirSync(below).filter((name) => /^\d{6}$/.test(name));
    return base === undefined ? undefined : join(below, base);
  };
  expect(names[0]?.length).toBeGreaterThan(50);
  await eventually(soonMs, () => {
    const path = trunk(1);
    return path !== undefined && readFileSync(path).includes(contents[2] ?? "");
  });
  const path = trunk(0) ?? "";
  const bytes = readFileSync(path);
  flip(path, bytes.indexOf(contents[0] ?? "") + 400);
  flip(path, bytes.indexOf(contents[1] ?? "") - 24);
  // Slots of the last seconds are not judged.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const report = await scrubbed(0);
  expect(report).toMatchObject({ openTotal: 0 });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  for (const [which, content] of contents.entries()) {
    expect((await at(0).download(names[which] ?? "")).equals(content)).toBe(true);
  }
}, 120_000);

test("a header of which the time alone rotted is written anew by its name, without a peer", async () => {
  callers[1]?.close();
  await group.stop(1);
  const content = Buffer.from("alone ".repeat(150));
  const name = await at(0).upload(content);
  expect(name.length).toBeGreaterThan(50);
  const directory = dirname(pathOf(name));
  const trunks = readdirSync(directory).map((base) => join(directory, base));
  const path = trunks.find((each) => readFileSync(each).includes(content)) ?? "";
  const bytes = readFileSync(path);
  // Slots of the last seconds are not judged.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  flip(path, bytes.indexOf(content) - trunkHeaderSize + 13);
  expect(await statusOf(at(0).info(name, 66))).not.toBe(0);
  expect(await scrubbed(0)).toMatchObject({ damaged: 1, openTotal: 0 });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect((await at(0).download(name)).equals(content)).toBe(true);
  await group.run(1);
  callers[1] = await group.caller(1);
}, 150_000);

test("a receipt names both nodes, since when they hold the file, and when they verified it", async () => {
  const content = Buffer.alloc(100_000, "r");
  const name = await at(0).upload(content);
  await eventually(soonMs, () => group.content(1, name)?.equals(content) === true);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  await scrubbed(0);
  const id = `group1/${name}`;
  const found = await control(0).ask(receipt, { id }, never);
  expect(found.says).toMatch(/^2 of 2 storages hold this file; 1 of these copies verified/);
  expect(found.copies.map(({ own, state, sizeBytes }) => [own, state, sizeBytes])).toEqual([
    [true, "holds", 100_000],
    [false, "holds", 100_000],
  ]);
  expect(found.copies[0]?.verifiedAt).toBeGreaterThan(1_600_000_000);
  expect(found.copies[1]?.flushedAt).toBeGreaterThan(1_600_000_000);
  expect(found.copies[1]?.crc32).toBe(found.copies[0]?.crc32);
  const read = await control(1).ask(receipt, { id, read: true }, never);
  expect(read.copies.map(({ crcFrom }) => crcFrom)).toEqual(["read", "read"]);
  const http = await fetch(`http://${group.address(1)}:${group.ports.gateway}/${id}?receipt`);
  expect(http.status).toBe(200);
  expect(await http.json()).toMatchObject({ id, copies: [{ own: true }, { own: false }] });
  // Any name but the file's own.
  const last = id.at(-5) === "9" ? "8" : "9";
  const nobody = await control(0).ask(receipt, { id: `${id.slice(0, -5)}${last}.bin` }, never);
  expect(nobody.says).toMatch(/^No storage that answered holds this file/);
}, 120_000);

test("a damaged file while the peer is away is served as soon as it is back, and a receipt lists the silent one", async () => {
  const content = Buffer.alloc(200_000, "w");
  const name = await at(0).upload(content);
  await eventually(soonMs, () => group.content(1, name)?.equals(content) === true);
  callers[1]?.close();
  await group.stop(1);
  flip(pathOf(name), 5);
  const report = await scrubbed(0);
  expect(report.openTotal).toBeGreaterThan(0);
  expect(group.content(0, name)).toBe(undefined);
  const away = await control(0).ask(receipt, { id: `group1/${name}` }, never);
  expect(away.copies).toMatchObject([{ state: "damaged" }, { state: "silent" }]);
  await group.run(1);
  callers[1] = await group.caller(1);
  await eventually(soonMs, async () => {
    const got = await at(0)
      .download(name)
      .catch(() => undefined);
    return got?.equals(content) === true;
  });
}, 150_000);
