/**
 * Goal: while a disk of one storage is away, clients of that storage go on reading what its peers have, by every way of reading; and a disk
 * that goes under load costs readers no second. Method: two real nodes of one group, disks that are directories and, for the figure, a real
 * file system on a loop device that is shut down as the kernel does it when the disk below has gone; clients ask the tracker before each
 * operation and try nothing twice.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { status } from "#control/operations/system.ts";
import { controlOf, identityIn, makeDisk, moveDisk } from "../support/disk-node.ts";
import { statusOf } from "../support/live-node.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";
import { eventually, NodeGroup } from "../support/node-group.ts";
import { RoutedLoad } from "../support/routed-load.ts";

const limitMs = 120_000;
const waitMs = 20_000;
const tryAgain = 11;
const invalid = 22;
const managed = ["disks.manage=true", "disks.mount_directory=./mnt", "storage.durability=relaxed"];

const mount = (group: NodeGroup, at: number, name: string): string =>
  join(group.folder, String(at), "mnt", name);

async function pathsBecome(group: NodeGroup, at: number, wanted: string): Promise<void> {
  await eventually(waitMs, async () => {
    const { storePaths } = await controlOf(join(group.folder, String(at))).ask(status, {});
    return storePaths.map(({ index, state }) => `${index} ${state}`).join(", ") === wanted;
  });
}

/** Two nodes whose store path 1 is a disk, the second one's in a directory. */
async function groupWithDisks(first: (group: NodeGroup) => void): Promise<NodeGroup> {
  const group = await NodeGroup.start({
    count: 2,
    settings: [...managed, "storage.path=./store0"],
  });
  first(group);
  const identity = identityIn(join(group.folder, "1"));
  makeDisk(mount(group, 1, "b"), identity, { digit: "b", indexes: [1] });
  for (const at of [0, 1]) await pathsBecome(group, at, "0 online, 1 online");
  return group;
}

function directoryDisk(group: NodeGroup): void {
  const identity = identityIn(join(group.folder, "0"));
  makeDisk(mount(group, 0, "a"), identity, { digit: "a", indexes: [1] });
}

/** Node 0 has it on its disk, and node 1 as well. */
async function copied(group: NodeGroup, names: readonly string[]): Promise<void> {
  const caller = await group.caller(1);
  for (const name of names) {
    await eventually(waitMs, async () => (await statusOf(caller.info(name, 66))) === 0);
  }
  caller.close();
}

test(
  "what lies on a disk that is away is read through a peer, by every way of reading, and changed by none",
  async () => {
    await using group = await groupWithDisks(directoryDisk);
    const small = Buffer.from("small enough for one block");
    const large = Buffer.alloc(5 * 1024 * 1024, "a large file, ");
    let first = await group.caller(0);
    const path = 1;
    const name = await first.upload(small, { path, extension: "txt" });
    await first.setMetadata(name, "width\x02640", "overwrite");
    const big = await first.upload(large, { path });
    const log = await first.upload(Buffer.from("one "), { path, appender: true });
    await first.append(log, Buffer.from("two"));
    const slave = await first.uploadSlave(name, "_s", Buffer.from("a slave"));
    first.close();
    await copied(group, [name, big, log, slave]);
    const second = await group.caller(1);
    await eventually(waitMs, async () => (await second.info(log)).fileSize === 7);
    await eventually(waitMs, async () => (await statusOf(second.getMetadata(name))) === 0);
    second.close();

    moveDisk(mount(group, 0, "a"), join(group.folder, "drawer"));
    await pathsBecome(group, 0, "0 online, 1 offline");
    first = await group.caller(0);
    expect(await first.download(name)).toEqual(small);
    expect((await first.download(big)).equals(large)).toBe(true);
    const part = large.subarray(3_000_000, 3_000_999);
    expect((await first.download(big, 3_000_000, 999)).equals(part)).toBe(true);
    expect(await statusOf(first.download(big, large.length + 1, 1))).toBe(invalid);
    expect((await first.download(log)).toString()).toBe("one two");
    expect((await first.download(slave)).toString()).toBe("a slave");
    expect(await first.getMetadata(name)).toBe("width\x02640");
    expect(await statusOf(first.getMetadata(big))).toBe(2);
    const about = { fileSize: 7, crc32: crc32("one two") };
    expect(await first.info(log)).toMatchObject(about);
    first.close();
    const url = `http://${group.address(0)}:${group.ports.gateway}/group1/${big}`;
    const whole = await fetch(url);
    expect(whole.status).toBe(200);
    expect(Buffer.from(await whole.arrayBuffer()).equals(large)).toBe(true);
    const head = await fetch(url, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(large.length));
    const ranged = await fetch(url, { headers: { range: "bytes=3000000-3000998" } });
    expect(ranged.status).toBe(206);
    expect(Buffer.from(await ranged.arrayBuffer()).equals(part)).toBe(true);

    for (const change of [
      () => group.caller(0).then((caller) => caller.append(log, Buffer.from("x"))),
      () => group.caller(0).then((caller) => caller.remove(name)),
      () => group.caller(0).then((caller) => caller.setMetadata(name, "a\x021", "merge")),
      () => group.caller(0).then((caller) => caller.uploadSlave(name, "_t", small)),
    ]) {
      expect(await statusOf(change())).toBe(tryAgain);
    }

    await nobodyHas(group, name, url);
    moveDisk(join(group.folder, "drawer"), mount(group, 0, "a"));
    await pathsBecome(group, 0, "0 online, 1 online");
    first = await group.caller(0);
    expect(await first.download(name)).toEqual(small);
    first.close();
  },
  limitMs,
);

/** Both lack it: neither asks the other one on and on. */
async function nobodyHas(group: NodeGroup, name: string, url: string): Promise<void> {
  moveDisk(mount(group, 1, "b"), join(group.folder, "second-drawer"));
  await pathsBecome(group, 1, "0 online, 1 offline");
  for (const at of [0, 1]) {
    const caller = await group.caller(at);
    const started = performance.now();
    expect(await statusOf(caller.download(name))).toBe(tryAgain);
    expect(await statusOf(caller.info(name))).toBe(tryAgain);
    expect(await statusOf(caller.getMetadata(name))).toBe(tryAgain);
    expect(performance.now() - started).toBeLessThan(5000);
    caller.close();
  }
  const later = await fetch(url);
  expect(later.status).toBe(503);
  expect(later.headers.get("retry-after")).not.toBeNull();
}

const measured = needs(
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("xfs_io", { apt: "xfsprogs" }),
);

const ways: Readonly<Record<string, (point: string) => void>> = {
  "whose device is pulled": (point) => run("xfs_io", "-x", "-c", "shutdown", point),
  "that somebody unmounts": (point) => run("umount", "--lazy", point),
};

for (const [way, goes] of Object.entries(ways)) {
  measured(
    `a disk ${way} under load is routed around within a second`,
    () => goesUnderLoad(way, goes),
    limitMs,
  );
}

async function goesUnderLoad(way: string, goes: (point: string) => void): Promise<void> {
  using device = new LoopDevice(256);
  run("mkfs.ext4", "-q", "-F", device.path);
  await using group = await groupWithDisks((made) => {
    const point = mount(made, 0, "a");
    mkdirSync(point, { recursive: true });
    const building = join(made.folder, "building");
    const identity = identityIn(join(made.folder, "0"));
    makeDisk(building, identity, { digit: "a", indexes: [1] });
    const aside = join(made.folder, "aside");
    mkdirSync(aside);
    run("mount", device.path, aside);
    run("cp", "-a", `${building}/.`, aside);
    run("umount", aside);
    run("mount", device.path, point);
  });
  const files = new Map<string, Buffer>();
  const caller = await group.caller(0);
  for (let file = 0; file < 40; file += 1) {
    const content = Buffer.alloc(file % 10 === 0 ? 700_000 : 3000, `file ${file} `);
    files.set(await caller.upload(content, { path: 1 }), content);
  }
  caller.close();
  await copied(group, [...files.keys()]);
  const tracker = { address: group.address(0), port: group.ports.tracker };
  const load = new RoutedLoad(tracker, { files, readers: 4, writers: 2 });
  const during = async (what: string, ms: number) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const figures = { reads: load.reads.figures(), uploads: load.uploads.figures() };
    process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
    return figures;
  };
  const before = await during("all is well", 2000);
  const point = mount(group, 0, "a");
  goes(point);
  const { reads, uploads } = await during(`a disk ${way}`, 6000);
  await load.stop();
  // Nothing of it can be removed, else.
  if (readFileSync("/proc/self/mountinfo", "utf8").includes(` ${point} `)) {
    run("umount", "--lazy", point);
  }
  expect([before.reads.failed, before.uploads.failed]).toEqual([0, 0]);
  expect(reads.done).toBeGreaterThan(100);
  // All files are there: not for a moment is anybody told otherwise.
  expect(reads.why).not.toContain("2");
  expect(uploads.why).not.toContain("2");
  expect(reads.gapMs).toBeLessThan(1000);
  expect(uploads.done).toBeGreaterThan(20);
  expect(uploads.gapMs).toBeLessThan(1000);
  // What was acknowledged meanwhile and is not on the disk that went is there.
  const kept = [...load.stored].filter(([name]) => name.startsWith("M00/"));
  expect(kept.length).toBeGreaterThan(0);
  const reader = await group.caller(1);
  for (const [name, content] of kept) expect(await reader.download(name)).toEqual(content);
  reader.close();
}
