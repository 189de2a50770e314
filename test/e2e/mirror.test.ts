/**
 * Goal: one box survives the loss of a disk. Method: a real node whose storage is a mirror, with its halves in two folders, or on two small
 * file systems of which one goes away while it serves (as root). What is read is asked of each half by itself.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePorts } from "../support/free-ports.ts";
import { LiveNode, statusOf, storable } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import {
  freezableFileSystemNeeds,
  SmallFileSystem,
  smallFileSystemNeeds,
} from "../support/small-file-system.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const notFound = 2;
const tryAgain = 11;
const limitMs = 60_000;

/** Tries `look` until it is `wanted`. */
async function eventually<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found === wanted) return;
    if (performance.now() > until) expect(found).toBe(wanted);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the half on `port` answers, each time over a connection of its own. */
async function asking<T>(port: number, use: (half: StorageCaller) => Promise<T>): Promise<T> {
  const caller = await StorageCaller.connect(port);
  try {
    return await use(caller);
  } finally {
    caller.close();
  }
}

async function has(port: number, name: string, content: Uint8Array): Promise<void> {
  await eventually(() => statusOf(asking(port, (half) => half.download(name))), 0);
  expect(await asking(port, (half) => half.download(name))).toEqual(Buffer.from(content));
}

function content(seed: number): Buffer {
  return Buffer.from(`${seed} `.repeat(1 + (seed % 700)));
}

async function httpStatus(node: LiveNode, name: string): Promise<number> {
  const url = `http://127.0.0.1:${node.process.ports.gateway}/group1/${name}`;
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status;
}

test(
  "what one half of a mirror stored the other one has, and a half that was wiped fills itself",
  async () => {
    const [mirrorPort = 0] = await freePorts(1);
    await using node = await LiveNode.start((folder) => [
      "storage.layout=mirror",
      `storage.mirror.port=${mirrorPort}`,
      "storage.mirror.one_disk=true",
      "storage.packing=off",
      `storage.path=${join(folder, "store0")},${join(folder, "store1")}`,
    ]);
    await storable(node.tracker);
    const first = node.storage.port;
    const files = new Map<string, Buffer>();
    for (let at = 0; at < 60; at += 1) {
      const port = at % 2 === 0 ? first : mirrorPort;
      await eventually(
        () =>
          statusOf(
            asking(port, async (half) => files.set(await half.upload(content(at)), content(at))),
          ),
        0,
      );
    }
    const [doomed = ""] = files.keys();
    for (const [name, bytes] of files) {
      await has(first, name, bytes);
      await has(mirrorPort, name, bytes);
    }
    await asking(first, (half) => half.remove(doomed));
    files.delete(doomed);
    await eventually(() => statusOf(asking(mirrorPort, (half) => half.download(doomed))), notFound);
    await node.process.kill();
    rmSync(join(node.folder, "store1"), { recursive: true });
    mkdirSync(join(node.folder, "store1"));
    await node.restart();
    for (const [name, bytes] of files) {
      await has(first, name, bytes);
      await has(mirrorPort, name, bytes);
      await eventually(() => httpStatus(node, name), 200);
    }
    expect(await statusOf(asking(mirrorPort, (half) => half.download(doomed)))).toBe(notFound);
    const late = await asking(mirrorPort, (half) => half.upload(letters));
    await has(first, late, letters);
  },
  limitMs,
);

test("halves on one file system are refused", async () => {
  const [mirrorPort = 0] = await freePorts(1);
  const started = LiveNode.start((folder) => [
    "storage.layout=mirror",
    `storage.mirror.port=${mirrorPort}`,
    `storage.path=${join(folder, "store0")},${join(folder, "store1")}`,
  ]);
  await expect(started).rejects.toThrow(/lie on one file system/);
});

needs(...freezableFileSystemNeeds)(
  "a disk of a mirror that hangs takes no file along, and has what was stored meanwhile when it is back",
  async () => {
    using one = new SmallFileSystem(64);
    using other = new SmallFileSystem(64);
    const [mirrorPort = 0] = await freePorts(1);
    await using node = await LiveNode.start(() => [
      "storage.layout=mirror",
      `storage.mirror.port=${mirrorPort}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
      "storage.disk_timeout=2s",
      `storage.path=${one.path},${other.path}`,
    ]);
    await storable(node.tracker);
    const ports = [node.storage.port, mirrorPort] as const;
    const before = await asking(ports[0], (half) => half.upload(letters));
    for (const port of ports) await has(port, before, letters);
    one.freeze();
    // Whoever is in the kernel with the disk is given up after its time; those after him go to the other one.
    await statusOf(asking(ports[0], (half) => half.upload(content(1))));
    const during: string[] = [];
    for (const port of ports) {
      await eventually(
        () => statusOf(asking(port, async (half) => during.push(await half.upload(letters)))),
        0,
      );
      await has(port, before, letters);
      await eventually(() => httpStatus(node, before), 200);
    }
    one.thaw();
    for (const name of during) for (const port of ports) await has(port, name, letters);
    await eventually(
      async () => node.log.filter(({ event }) => event === "store-path-back").length > 0,
      true,
    );
  },
  limitMs,
);

const withDisks = needs(...smallFileSystemNeeds);

withDisks(
  "a disk of a mirror that fails while it serves takes no read and no upload along",
  async () => {
    using one = new SmallFileSystem(64);
    using other = new SmallFileSystem(64);
    const [mirrorPort = 0] = await freePorts(1);
    await using node = await LiveNode.start(() => [
      "storage.layout=mirror",
      `storage.mirror.port=${mirrorPort}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
      "storage.disk_timeout=2s",
      `storage.path=${one.path},${other.path}`,
    ]);
    await storable(node.tracker);
    const ports = [node.storage.port, mirrorPort] as const;
    const before = await asking(ports[0], (half) => half.upload(letters));
    await eventually(() => statusOf(asking(ports[1], (half) => half.upload(content(1)))), 0);
    for (const port of ports) await has(port, before, letters);
    one.breakDown();
    // The first half finds out by its next change.
    const refused = [0, 30, 5, tryAgain];
    for (let at = 0; at < 3; at += 1) {
      const status = await statusOf(asking(ports[0], (half) => half.upload(content(at))));
      expect(refused).toContain(status);
    }
    const during: string[] = [];
    for (const port of ports) {
      await eventually(
        () => statusOf(asking(port, async (half) => during.push(await half.upload(letters)))),
        0,
      );
      await has(port, before, letters);
    }
    for (const name of during) {
      for (const port of ports) await has(port, name, letters);
      await eventually(() => httpStatus(node, name), 200);
    }
    await asking(ports[0], (half) => half.remove(before));
    await eventually(() => statusOf(asking(ports[1], (half) => half.download(before))), notFound);
  },
  limitMs,
);

withDisks(
  "a mirror starts and serves with one disk, when the other one is gone for good",
  async () => {
    using one = new SmallFileSystem(64);
    const other = new SmallFileSystem(64);
    const [mirrorPort = 0] = await freePorts(1);
    await using node = await LiveNode.start(() => [
      "storage.layout=mirror",
      `storage.mirror.port=${mirrorPort}`,
      "tracker.reserved_space=0",
      "storage.packing=off",
      `storage.path=${one.path},${other.path}`,
    ]);
    const ports = [node.storage.port, mirrorPort] as const;
    let name = "";
    try {
      await storable(node.tracker);
      name = await asking(ports[1], (half) => half.upload(letters));
      for (const port of ports) await has(port, name, letters);
      await node.process.stop();
    } finally {
      other[Symbol.dispose]();
    }
    await node.restart();
    await storable(node.tracker);
    for (const port of ports) {
      await has(port, name, letters);
      const fresh = await asking(port, (half) => half.upload(content(port)));
      for (const each of ports) await has(each, fresh, content(port));
    }
    await eventually(() => httpStatus(node, name), 200);
  },
  limitMs,
);
