/**
 * Goal: a disk that is full, or that turns read-only while it is written, gives the client the status that FastDFS gives, a line
 * in the log and no harm to what was stored before; the other paths go on, and so does this one once the trouble is over.
 * Files of their own: what is deleted is room for the file system at once.
 * Method: store paths on small ext4 file systems in files, mounted through loop devices; as root only.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { listStore } from "../crash/store-audit.ts";
import { LiveNode, statusOf } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../support/small-file-system.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const mebibyte = 1024 * 1024;
const noSpace = 28;
const readOnly = 30;
const notFound = 2;
const onDisk = needs(...smallFileSystemNeeds);

onDisk(
  "a full disk refuses with 28, says so in the log, and serves again when there is room",
  async () => {
    using disk = new SmallFileSystem(24);
    await using node = await LiveNode.start(() => [
      `storage.path=${disk.path}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
    ]);
    const caller = await StorageCaller.connect(node.storage.port);
    const kept = await caller.upload(letters);
    const appender = await caller.upload(letters, { appender: true });
    const stored: string[] = [];
    let status = 0;
    for (let round = 0; round < 64 && status === 0; round += 1) {
      status = await statusOf(
        caller.upload(Buffer.alloc(mebibyte, round)).then((name) => stored.push(name)),
      );
    }
    caller.close();
    expect({ status, some: stored.length > 5 }).toEqual({ status: noSpace, some: true });
    const again = await StorageCaller.connect(node.storage.port);
    for (const [round, name] of stored.entries()) {
      expect((await again.download(name)).equals(Buffer.alloc(mebibyte, round))).toBe(true);
    }
    expect(await again.download(kept)).toEqual(letters);
    expect(listStore(disk.path).temporary).toEqual([]);
    expect(node.log.filter(({ level }) => level === "warn" || level === "error")).toContainEqual(
      expect.objectContaining({ event: expect.stringMatching(/full|space|refused/) }),
    );
    await again.remove(stored.pop() ?? "");
    await again.remove(stored.pop() ?? "");
    again.close();
    // A failed upload is the end of its connection.
    const afresh = async (use: (storage: StorageCaller) => Promise<unknown>): Promise<number> => {
      const storage = await StorageCaller.connect(node.storage.port);
      const status = await statusOf(use(storage));
      storage.close();
      return status;
    };
    await eventually(() => afresh((storage) => storage.append(appender, letters)), 0);
    await eventually(() => afresh((storage) => storage.upload(Buffer.alloc(mebibyte, "n"))), 0);
  },
);

onDisk("a disk that somebody else fills up during an upload refuses it, whole", async () => {
  using disk = new SmallFileSystem(24);
  await using node = await LiveNode.start(() => [
    `storage.path=${disk.path}`,
    "tracker.reserved_space=0",
    "storage.packing=off",
  ]);
  const caller = await StorageCaller.connect(node.storage.port);
  const kept = await caller.upload(letters);
  const appender = await caller.upload(letters, { appender: true });
  fill(join(disk.path, "ballast"));
  // Free space is measured once a second: these find out from the kernel.
  const big = Buffer.alloc(4 * mebibyte, "x");
  expect(await statusOf(caller.upload(big))).toBe(noSpace);
  const second = await StorageCaller.connect(node.storage.port);
  expect(await statusOf(second.append(appender, big))).toBe(noSpace);
  const third = await StorageCaller.connect(node.storage.port);
  expect(await third.download(appender)).toEqual(letters);
  expect(await third.download(kept)).toEqual(letters);
  expect(listStore(disk.path)).toEqual({
    names: expect.arrayContaining([kept, appender]),
    temporary: [],
  });
  rmSync(join(disk.path, "ballast"));
  await eventually(async () => {
    const fresh = await StorageCaller.connect(node.storage.port);
    const status = await statusOf(fresh.upload(big));
    fresh.close();
    return status;
  }, 0);
  for (const each of [caller, second, third]) each.close();
});

onDisk(
  "a disk full to the last byte still lets files be deleted, and a restart finds all of them",
  async () => {
    using disk = new SmallFileSystem(24);
    await using node = await LiveNode.start(() => [
      `storage.path=${disk.path}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
    ]);
    const caller = await StorageCaller.connect(node.storage.port);
    const kept = await caller.upload(letters);
    const doomed = await caller.upload(Buffer.alloc(mebibyte));
    fill(join(disk.path, "ballast"));
    expect(await statusOf(caller.setMetadata(kept, `a\x02${"v".repeat(200)}`, "overwrite"))).toBe(
      noSpace,
    );
    await node.process.kill();
    await node.restart();
    const after = await StorageCaller.connect(node.storage.port);
    expect(await after.download(kept)).toEqual(letters);
    expect(await statusOf(after.remove(doomed))).toBe(0);
    expect(await after.download(kept)).toEqual(letters);
    caller.close();
    after.close();
  },
);

onDisk("a path that turns read-only refuses with 30; the other one goes on", async () => {
  using first = new SmallFileSystem(24);
  using second = new SmallFileSystem(24);
  await using node = await LiveNode.start(() => [
    `storage.path=${first.path},${second.path}`,
    "tracker.reserved_space=0",
    "storage.packing=off",
  ]);
  const caller = async <T>(use: (storage: StorageCaller) => Promise<T>): Promise<T> => {
    const storage = await StorageCaller.connect(node.storage.port);
    try {
      return await use(storage);
    } finally {
      storage.close();
    }
  };
  const kept = await caller((storage) => storage.upload(letters, { path: 0 }));
  const described = await caller((storage) => storage.upload(letters, { path: 1 }));
  first.breakDown();
  try {
    const refused = await caller((storage) => statusOf(storage.upload(letters, { path: 0 })));
    expect(refused).toBe(readOnly);
    expect(await caller((storage) => statusOf(storage.remove(kept)))).toBe(readOnly);
    expect(
      await caller((storage) => statusOf(storage.setMetadata(kept, "a\x021", "overwrite"))),
    ).toBe(readOnly);
    expect(await caller((storage) => storage.download(kept))).toEqual(letters);
    await caller((storage) => storage.setMetadata(described, "a\x021", "overwrite"));
    // Where the storage may choose, it learns to leave the path out.
    await eventually(async () => {
      const statuses = [];
      for (let round = 0; round < 4; round += 1) {
        statuses.push(await caller((storage) => statusOf(storage.upload(letters))));
      }
      return statuses.every((status) => status === 0);
    }, true);
    expect(node.log.filter(({ level }) => level === "warn" || level === "error")).toContainEqual(
      expect.objectContaining({ event: expect.stringMatching(/./) }),
    );
  } finally {
    await node.process.stop();
    first.mend();
  }
  await node.restart();
  expect(await caller((storage) => statusOf(storage.upload(letters, { path: 0 })))).toBe(0);
  expect(await caller((storage) => storage.download(kept))).toEqual(letters);
});

onDisk(
  "a path that is read-only at the start is named in the log, and its files are not called missing",
  async () => {
    using first = new SmallFileSystem(24);
    using second = new SmallFileSystem(24);
    await using node = await LiveNode.start(() => [
      `storage.path=${first.path},${second.path}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
    ]);
    const caller = await StorageCaller.connect(node.storage.port);
    const kept = await caller.upload(letters, { path: 0 });
    caller.close();
    await node.process.stop();
    first.remount("ro");
    try {
      await node.restart();
      const after = await StorageCaller.connect(node.storage.port);
      expect((await after.upload(letters)).slice(0, 3)).toBe("M01");
      expect(await statusOf(after.download(kept))).not.toBe(notFound);
      expect(JSON.stringify(node.log.filter(({ level }) => level === "error"))).toContain(
        first.path,
      );
      after.close();
      await node.process.stop();
    } finally {
      first.remount("rw");
    }
    await node.restart();
    const again = await StorageCaller.connect(node.storage.port);
    expect(await again.download(kept)).toEqual(letters);
    again.close();
  },
);

/** Writes until the kernel has no more. */
function fill(path: string): void {
  const chunk = Buffer.alloc(mebibyte, "b");
  for (let size = mebibyte; size >= 512; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        writeFileSync(path, chunk.subarray(0, size), { flag: "a", flush: true });
      } catch {
        break;
      }
    }
  }
}

async function eventually<T>(look: () => Promise<T>, wanted: T, limitMs = 15_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen === wanted) return;
    if (performance.now() > deadline) expect(seen).toBe(wanted);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
