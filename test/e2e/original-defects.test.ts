/**
 * Goal: what FastDFS 6.16.1 was seen to get wrong and this project promised not to (product.md, "What the original gets wrong"),
 * as far as one node goes: a test a row, which would fail with the original's behaviour. Rows 3, 4, 6, 7, 11 and 12 are about
 * several nodes, or come with later issues.
 * Method: a whole node as a child process, looked at through sockets, system calls and its disk.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastRecords, listStore } from "../crash/store-audit.ts";
import { freePorts } from "../support/free-ports.ts";
import { LiveNode, statusOf, storable } from "../support/live-node.ts";
import { needs, program } from "../support/needs.ts";
import { program as cairn } from "../support/node-process.ts";
import { frame, RawConnection } from "../support/raw-connection.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { CallTrace, type SystemCall } from "../support/system-calls.ts";
import { trackerRecords } from "../support/tracker-records.ts";
import { body } from "../support/wire-bytes.ts";

const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const mebibyte = 1024 * 1024;
const flushes = ["fsync", "fdatasync"];
const traced = [
  ...flushes,
  "write",
  "writev",
  "sendto",
  "sendmsg",
  "rename",
  "renameat",
  "renameat2",
];
const withStrace = needs(program("strace", { apt: "strace" }));

/** The paths that were flushed before the reply that names the file left; what came after does not count. */
function flushedBefore(calls: readonly SystemCall[], filename: string): readonly string[] {
  const isReply = ({ name, text }: SystemCall): boolean =>
    !flushes.includes(name) && text.includes("<socket:") && text.includes(filename);
  const reply = calls.findIndex(isReply);
  if (reply < 0) throw new Error(`no reply with ${filename}: ${JSON.stringify(calls)}`);
  const done = calls
    .slice(0, reply)
    .filter(({ name, result }) => flushes.includes(name) && result === "0");
  return done.map(({ text }) => /<(.*)>/.exec(text)?.[1] ?? text);
}

async function tracedUpload(
  node: LiveNode,
): Promise<{ readonly name: string; readonly calls: readonly SystemCall[] }> {
  const caller = await StorageCaller.connect(node.storage.port);
  // Directories that are new are flushed as well: here it is about a file in one that is there.
  await caller.upload(letters);
  const trace = await CallTrace.attach(node.process.pid, traced);
  const name = await caller.upload(Buffer.alloc(100_000, "x"));
  caller.close();
  return { name, calls: await trace.calls() };
}

withStrace("row 1: data, binlog and directory are flushed before the reply leaves", async () => {
  await using node = await LiveNode.start();
  const { name, calls } = await tracedUpload(node);
  const flushed = flushedBefore(calls, name);
  expect({
    data: flushed.some((path) => path.includes("/.cairn/tmp/") || path.endsWith(name.slice(4))),
    binlog: flushed.some((path) => /\/sync\/binlog\.\d+$/.test(path)),
    directory: flushed.some((path) => path.endsWith(join("data", name.slice(4, 9)))),
  }).toEqual({ data: true, binlog: true, directory: true });
});

withStrace("row 1: only who asks for it gets the original's way, without flushes", async () => {
  await using node = await LiveNode.start(() => ["storage.durability=relaxed"]);
  const { name, calls } = await tracedUpload(node);
  expect(flushedBefore(calls, name)).toEqual([]);
});

for (const durability of ["flushed", "relaxed"]) {
  test(`row 2: after kill -9 the binlog has every acknowledged file (${durability})`, async () => {
    await using node = await LiveNode.start(() => [`storage.durability=${durability}`]);
    const callers = await Promise.all(
      Array.from({ length: 16 }, () => StorageCaller.connect(node.storage.port)),
    );
    const acknowledged: string[] = [];
    for (const wanted of [300, 600, 900, 1200]) {
      const enough = new Promise<void>((resolve) => {
        for (const caller of callers) {
          void (async () => {
            while (acknowledged.length < wanted) acknowledged.push(await caller.upload(letters));
            resolve();
          })().catch(() => resolve());
        }
      });
      await enough;
      await node.process.kill();
      const records = lastRecords(node.store);
      expect(acknowledged.filter((name) => records.get(name) !== "C")).toEqual([]);
      await node.restart();
      const names = new Set(listStore(node.store).names);
      expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
      const after = lastRecords(node.store);
      expect([...names].filter((name) => after.get(name) !== "C")).toEqual([]);
      for (const [at] of callers.entries()) {
        callers[at]?.close();
        callers[at] = await StorageCaller.connect(node.storage.port);
      }
    }
    for (const caller of callers) caller.close();
  });
}

test("row 5: an empty file is stored, found, described, has metadata, and is served", async () => {
  await using node = await LiveNode.start();
  await storable(node.tracker);
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(Buffer.alloc(0), { extension: "txt" });
  expect(await caller.info(name)).toMatchObject({ fileSize: 0, crc32: 0 });
  await caller.setMetadata(name, "a\x021", "overwrite");
  expect(await caller.getMetadata(name)).toBe("a\x021");
  const tracker = await RawConnection.connect(node.tracker);
  await tracker.write(frame(102, body(["group1", 16], name)));
  expect(await tracker.frame(5000)).toMatchObject({ status: 0 });
  tracker.destroy();
  // The clients of FastDFS expect this status since 6.15.4; recovery will not ask this way.
  expect(await statusOf(caller.download(name))).toBe(22);
  const url = `http://127.0.0.1:${node.process.ports.gateway}/group1/${name}`;
  for (const method of ["GET", "HEAD"]) {
    const response = await fetch(url, { method });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "0"]);
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  }
  await node.process.kill();
  await node.restart();
  const after = await StorageCaller.connect(node.storage.port);
  expect(await after.info(name)).toMatchObject({ fileSize: 0 });
  expect(await after.getMetadata(name)).toBe("a\x021");
  caller.close();
  after.close();
});

/** Of row 8, rot is the business of the scrub, which comes with a later issue. */
test("row 8: what a crash leaves of an upload is gone after the next start", async () => {
  await using node = await LiveNode.start();
  const caller = await StorageCaller.connect(node.storage.port);
  const kept = await caller.upload(letters);
  const halves = await Promise.all(
    [1, 2, 3].map(async () => {
      const connection = await RawConnection.connect(node.storage);
      const head = body(255, { i64: 8 * mebibyte }, ["bin", 6]);
      const begun = Buffer.concat([head, Buffer.alloc(4 * mebibyte)]);
      await connection.write(frame(11, begun, { length: head.length + 8 * mebibyte }));
      return connection;
    }),
  );
  await until(() => listStore(node.store).temporary.length === 3, "three uploads are under way");
  await node.process.kill();
  expect(listStore(node.store).temporary).toHaveLength(3);
  await node.restart();
  expect(listStore(node.store)).toEqual({ names: [kept], temporary: [] });
  for (const connection of [...halves]) connection.destroy();
  caller.close();
});

test("row 9: a first start makes a handful of inodes, and is ready within a second", async () => {
  const times: number[] = [];
  // The machine may be busy with something else: the best of three counts.
  for (let round = 0; round < 3; round += 1) {
    await using node = await LiveNode.start();
    times.push(node.process.readyAfterMs);
    expect(inodes(node.store)).toBeLessThan(50);
    const caller = await StorageCaller.connect(node.storage.port);
    await caller.upload(letters);
    caller.close();
    expect(inodes(node.store)).toBeLessThan(50);
  }
  expect(Math.min(...times)).toBeLessThan(1000);
});

test("row 9: on request the whole tree is made, as a C storage wants it", async () => {
  await using node = await LiveNode.start(() => [
    "storage.create_directories=all",
    "storage.subdir_count=64",
  ]);
  const data = join(node.store, "data");
  const level = Array.from({ length: 64 }, (_, at) =>
    at.toString(16).toUpperCase().padStart(2, "0"),
  );
  expect(
    readdirSync(data)
      .filter((name) => /^[0-9A-F]{2}$/.test(name))
      .sort(),
  ).toEqual(level);
  for (const high of level) expect(readdirSync(join(data, high)).sort()).toEqual(level);
});

test("row 10: a storage serves before any tracker has answered", async () => {
  const [closed = 0] = await freePorts(1);
  await using node = await LiveNode.start(() => [
    "node.roles=storage",
    `storage.trackers=127.0.0.1:${closed}`,
  ]);
  const caller = await StorageCaller.connect(node.storage.port);
  expect(await caller.download(await caller.upload(letters))).toEqual(letters);
  caller.close();
});

test("row 10: two paths on one file system count once in what the tracker is told", async () => {
  await using node = await LiveNode.start((folder) => {
    const paths = ["one", "two"].map((name) => join(folder, name));
    for (const path of paths) mkdirSync(path);
    return [`storage.path=${paths.join(",")}`];
  });
  await storable(node.tracker);
  const { group, storage } = await trackerRecords(node.tracker);
  const { blocks, bsize } = statfsSync(node.folder);
  const totalMb = Math.floor((blocks * bsize) / mebibyte);
  expect(storage.storePathCount).toBe(2);
  for (const told of [group.totalMb, storage.totalMb])
    expect(Math.abs(told - totalMb)).toBeLessThan(2);
  expect(storage.freeMb).toBeLessThanOrEqual(totalMb);
});

test("row 10: wrong settings end with a code other than 0, and relative paths work", async () => {
  await using node = await LiveNode.start(() => ["storage.path=first"], {});
  expect(existsSync(join(node.folder, "first", "data"))).toBe(true);
  const file = join(node.folder, "wrong.toml");
  writeFileSync(file, "[storage]\nport = 0.5\n");
  const { command, leading } = cairn();
  expect(() =>
    execFileSync(command, [...leading, "serve", "--config", file], {
      stdio: "pipe",
      timeout: 10_000,
    }),
  ).toThrow(expect.objectContaining({ status: 78 }));
  rmSync(file);
});

function inodes(directory: string): number {
  return readdirSync(directory, { recursive: true }).length + 1;
}
