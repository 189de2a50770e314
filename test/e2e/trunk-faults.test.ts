/**
 * Goal: a trunk file with a torn header, with slots that lie, or cut short costs the files in the damage and no others: those are
 * reported missing, never with wrong bytes, the rest is served, and nothing that is stored afterwards lies on a good slot.
 * Method: a whole node packs small files; its trunk file is damaged on the disk while no process has it, after an orderly end or after
 * SIGKILL, with the notes about free space or without; then the node starts again.
 */
import { closeSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeBase } from "#model/file-id.ts";
import { type TrunkSlot, trunkFilename } from "#model/trunk-location.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { LiveNode } from "../support/live-node.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const fileBytes = 4 * 1024 * 1024;
const settings = [
  "storage.packing=on",
  `tracker.trunk.file_size=${fileBytes}`,
  "tracker.trunk.slot_max_size=256KiB",
];
const count = 120;

interface Packed {
  readonly name: string;
  readonly content: Buffer;
  readonly slot: TrunkSlot;
  /** Of the trunk file. */
  readonly path: string;
}

type Damage = (files: readonly Packed[]) => ReadonlySet<Packed>;

function overwrite(file: Packed, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(file.path, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, file.slot.offset + offset);
  closeSync(descriptor);
}

/** What is done to a trunk file; the files that are lost by it. */
const damages: Readonly<Record<string, Damage>> = {
  "torn headers": (files) => {
    const torn = [files[10], files[11], files[70]] as Packed[];
    for (const each of torn) overwrite(each, 0, Buffer.alloc(13));
    return new Set(torn);
  },
  "a header of rubbish": (files) => {
    const file = files[20] as Packed;
    overwrite(file, 0, Buffer.alloc(24, 0xa5));
    return new Set([file]);
  },
  "a slot that says that it is larger": (files) => {
    const file = files[30] as Packed;
    const size = Buffer.alloc(4);
    size.writeUInt32BE(file.slot.size + 200_000);
    overwrite(file, 1, size);
    return new Set([file]);
  },
  "a slot that says that it is the whole file": (files) => {
    const file = files[0] as Packed;
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32BE(fileBytes - file.slot.offset, 0);
    sizes.writeUInt32BE(fileBytes - file.slot.offset - 24, 4);
    overwrite(file, 1, sizes);
    return new Set([file]);
  },
  "the end cut off in the middle of a slot": (files) => {
    const file = files[80] as Packed;
    const end = file.slot.offset + 40;
    truncateSync(file.path, end);
    return new Set(
      files.filter((each) => each.path === file.path && each.slot.offset + each.slot.size > end),
    );
  },
};

async function store(node: LiveNode, from: number, to: number): Promise<Packed[]> {
  const caller = await StorageCaller.connect(node.storage.port);
  const files: Packed[] = [];
  for (let index = from; index < to; index += 1) {
    const content = Buffer.alloc(600 + 37 * (index % 50), `file ${index} `);
    const name = await caller.upload(content);
    const slot = decodeBase(name.slice(10))?.trunk;
    if (slot === undefined) throw new Error(`${name} is not packed`);
    const path = join(node.store, "data", name.slice(4, 9), trunkFilename(slot.fileId));
    files.push({ name, content, slot, path });
  }
  caller.close();
  return files;
}

/** Packs nothing until the tracker has leased it a trunk file. */
async function untilPacking(node: LiveNode): Promise<void> {
  const caller = await StorageCaller.connect(node.storage.port);
  const deadline = performance.now() + 20_000;
  for (;;) {
    const name = await caller.upload(Buffer.from("is it packed?"));
    await caller.remove(name);
    if (decodeBase(name.slice(10))?.trunk !== undefined) break;
    if (performance.now() > deadline) throw new Error("nothing is packed");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  caller.close();
}

async function expectFiles(
  node: LiveNode,
  files: readonly Packed[],
  lost: ReadonlySet<Packed>,
): Promise<void> {
  const caller = await StorageCaller.connect(node.storage.port);
  for (const file of files) {
    const read = await caller.download(file.name).catch((error: unknown) => {
      if (error instanceof WireStatusError) return error.status;
      throw error;
    });
    if (lost.has(file))
      expect([wireStatus.notFound, wireStatus.ioError], file.name).toContain(read);
    else expect(Buffer.isBuffer(read) && read.equals(file.content), file.name).toBe(true);
  }
  caller.close();
}

for (const [what, damage] of Object.entries(damages)) {
  for (const how of ["stopped", "killed", "stopped, and its notes are lost"]) {
    test(`${what}, while the node was ${how}, costs nobody else's bytes`, async () => {
      await using node = await LiveNode.start(() => settings);
      await untilPacking(node);
      const files = await store(node, 0, count);
      if (how === "killed") await node.process.kill();
      else await node.process.stop();
      const lost = damage(files);
      if (how.endsWith("lost")) {
        const own = join(node.store, "data/.cairn");
        for (const name of readdirSync(own)) {
          if (name.startsWith("trunk")) rmSync(join(own, name));
        }
      }
      await node.restart();
      await expectFiles(node, files, lost);
      await untilPacking(node);
      const more = await store(node, count, 3 * count);
      const caller = await StorageCaller.connect(node.storage.port);
      for (const file of files) {
        if (!lost.has(file) && file !== files[5]) await caller.remove(file.name);
      }
      caller.close();
      const [kept] = files.slice(5, 6) as [Packed];
      const again = await store(node, 3 * count, 5 * count);
      await expectFiles(node, [kept, ...more, ...again], lost);
      await node.process.kill();
      await node.restart();
      await expectFiles(node, [kept, ...more, ...again], lost);
    }, 60_000);
  }
}

test("damage is reported with the trunk file's path", async () => {
  await using node = await LiveNode.start(() => settings);
  await untilPacking(node);
  const files = await store(node, 0, count);
  await node.process.stop();
  damages["a header of rubbish"]?.(files);
  for (const name of ["trunk.log", "trunk-open"]) rmSync(join(node.store, "data/.cairn", name));
  await node.restart();
  await until(
    () =>
      node.log.some(({ event, path }) => event === "trunk-file-damaged" && path === files[0]?.path),
    "the damage is in the log",
    20_000,
  );
}, 60_000);
