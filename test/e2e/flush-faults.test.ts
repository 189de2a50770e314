/**
 * Goal: when a flush fails, nobody whose file depended on it is told that it is stored; the path takes no changes and serves its files
 * until a check found it well; what was acknowledged is there afterwards, what was refused is not, also after the next start.
 * Method: a store path on a FUSE file system that fails chosen flushes and then forgets what was written since the last good one, as
 * disks do; a second path on an ordinary folder. As root only.
 */
import { expect } from "vitest";
import { listStore } from "../crash/store-audit.ts";
import { auditTrunkFiles, isPacked, isTrunkFile } from "../crash/trunk-audit.ts";
import type { Fault } from "../support/fuse/faults.ts";
import { FuseMount, fuseNeeds } from "../support/fuse/fuse-mount.ts";
import { LiveNode, statusOf } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const onFuse = needs(...fuseNeeds);
const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const ioError = 5;
const parallel = 24;
const limitMs = 60_000;

/** A connection of its own: a failed upload is the end of its one. */
async function once<Result>(
  node: LiveNode,
  use: (storage: StorageCaller) => Promise<Result>,
): Promise<Result> {
  const storage = await StorageCaller.connect(node.storage.port);
  try {
    return await use(storage);
  } finally {
    storage.close();
  }
}

interface Stage extends AsyncDisposable {
  readonly disk: FuseMount;
  readonly node: LiveNode;
}

async function stage(...settings: readonly string[]): Promise<Stage> {
  const disk = await FuseMount.start({ keepUndo: true });
  try {
    const node = await LiveNode.start((folder) => [
      `storage.path=${disk.path},${folder}/second`,
      "tracker.reserved_space=0",
      ...(settings.length === 0 ? ["storage.packing=off"] : settings),
    ]);
    return {
      disk,
      node,
      [Symbol.asyncDispose]: async () => {
        await disk.clear();
        await node[Symbol.asyncDispose]();
        await disk[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await disk[Symbol.asyncDispose]();
    throw error;
  }
}

/** Statuses of uploads that come at once, and those that were acknowledged with their contents. */
async function uploadMany(
  node: LiveNode,
  label: string,
): Promise<{ readonly statuses: ReadonlySet<number>; readonly stored: Map<string, Buffer> }> {
  const stored = new Map<string, Buffer>();
  const statuses = await Promise.all(
    Array.from({ length: parallel }, (_, index) => {
      const content = Buffer.alloc(3000 + index, `${label} ${index} `);
      return statusOf(
        once(node, async (storage) => {
          stored.set(await storage.upload(content, { path: 0 }), content);
        }),
      );
    }),
  );
  return { statuses: new Set(statuses), stored };
}

async function expectContents(node: LiveNode, stored: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [name, content] of stored) {
    const read = await once(node, (storage) => storage.download(name));
    expect(read.equals(content), name).toBe(true);
  }
}

/** What holds while the node serves also holds after it was killed. */
async function expectThroughKill(node: LiveNode, check: () => Promise<void>): Promise<void> {
  await check();
  await node.process.kill();
  await node.restart();
  await check();
}

async function expectExactly(
  node: LiveNode,
  disk: FuseMount,
  stored: ReadonlyMap<string, Buffer>,
): Promise<void> {
  await expectContents(node, stored);
  const { names, temporary } = listStore(disk.behind);
  expect({ names: names.sort(), temporary }).toEqual({
    names: [...stored.keys()].filter((name) => name.startsWith("M00")).sort(),
    temporary: [],
  });
}

/** Until new files are packed: the tracker leases trunk files after the join. */
async function packing(node: LiveNode): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const name = await once(node, (storage) => storage.upload(letters, { path: 0 }));
    await once(node, (storage) => storage.remove(name));
    if (isPacked(name)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("nothing is packed");
}

async function expectSlots(
  node: LiveNode,
  disk: FuseMount,
  stored: ReadonlyMap<string, Buffer>,
): Promise<void> {
  await expectContents(node, stored);
  const { names, temporary } = listStore(disk.behind);
  const packed = [...stored.keys()].filter(isPacked);
  expect(auditTrunkFiles(disk.behind, names.filter(isTrunkFile), packed)).toEqual([]);
  expect({ names: names.filter((name) => !isTrunkFile(name)).sort(), temporary }).toEqual({
    names: [...stored.keys()].filter((name) => !isPacked(name)).sort(),
    temporary: [],
  });
}

function events(node: LiveNode): readonly string[] {
  return node.log.map(({ event }) => event);
}

const flushes: Readonly<Record<string, Omit<Fault, "action">>> = {
  "a content": { operations: ["fsync"], path: "^data/\\.cairn/tmp/" },
  "the binlog": { operations: ["fsync"], path: "^data/sync/" },
  "a directory": { operations: ["fsyncdir"], path: "^data/[0-9A-F]{2}" },
};

for (const [what, flush] of Object.entries(flushes)) {
  onFuse(
    `where the flush of ${what} fails nobody of its batch is told "stored", and the path comes back when a check finds it well`,
    async () => {
      await using staged = await stage();
      const { disk, node } = staged;
      const kept = await uploadMany(node, "kept");
      expect([...kept.statuses]).toEqual([0]);
      const action =
        what === "a directory"
          ? ({ kind: "fail", errno: ioError } as const)
          : ({ kind: "lose" } as const);
      const fault = await disk.inject({ ...flush, action, times: 1 });
      const met = await uploadMany(node, "met");
      expect(await disk.hits(fault)).toBe(1);
      expect(met.statuses).toContain(ioError);
      await until(() => events(node).includes("store-path-back"), "the path is back", 20_000);
      expect(events(node)).toContain("store-path-quarantined");
      const after = await uploadMany(node, "after");
      expect([...after.statuses]).toEqual([0]);
      expect([...after.stored.keys()].every((name) => name.startsWith("M00"))).toBe(true);
      const all = new Map([...kept.stored, ...met.stored, ...after.stored]);
      await expectThroughKill(node, () => expectExactly(node, disk, all));
    },
    limitMs,
  );
}

onFuse(
  "where the flush of a trunk file fails no slot of its batch is told or left, and those before it keep their bytes",
  async () => {
    await using staged = await stage("storage.packing=on", "tracker.trunk.file_size=4MiB");
    const { disk, node } = staged;
    await packing(node);
    const kept = await uploadMany(node, "kept");
    const trunkFiles = "^data/[0-9A-F]{2}/[0-9A-F]{2}/\\d{6}$";
    const operations = ["fsync"] as const;
    const fault = await disk.inject({
      operations,
      path: trunkFiles,
      action: { kind: "lose" },
      times: 1,
    });
    const met = await uploadMany(node, "met");
    expect(await disk.hits(fault)).toBe(1);
    expect(met.statuses).toContain(ioError);
    await until(() => events(node).includes("store-path-back"), "the path is back", 20_000);
    const after = await uploadMany(node, "after");
    expect([...kept.statuses, ...after.statuses]).toEqual([0, 0]);
    const all = new Map([...kept.stored, ...met.stored, ...after.stored]);
    expect([...all.keys()].filter(isPacked).length).toBeGreaterThan(parallel);
    await expectThroughKill(node, () => expectSlots(node, disk, all));
  },
  limitMs,
);

onFuse(
  "while flushes go on failing the path's files are served, new ones go elsewhere, and deletes are refused",
  async () => {
    await using staged = await stage();
    const { disk, node } = staged;
    const kept = await uploadMany(node, "kept");
    await disk.inject({ operations: ["fsync", "fsyncdir"], action: { kind: "lose" } });
    await uploadMany(node, "met");
    await until(() => events(node).includes("store-path-check-failed"), "a check fails", 20_000);
    for (const [name, content] of kept.stored) {
      const read = await once(node, (storage) => storage.download(name));
      expect(read.equals(content), name).toBe(true);
      expect(await statusOf(once(node, (storage) => storage.remove(name)))).not.toBe(0);
    }
    for (let round = 0; round < 4; round += 1) {
      const elsewhere = await once(node, (storage) => storage.upload(letters));
      expect(elsewhere.slice(0, 3)).toBe("M01");
    }
    await disk.clear();
    await until(() => events(node).includes("store-path-back"), "the path is back", 30_000);
    for (const name of kept.stored.keys()) await once(node, (storage) => storage.remove(name));
    await expectExactly(node, disk, new Map());
  },
  limitMs,
);

onFuse(
  "in the relaxed mode no change is flushed, in the other one each is",
  async () => {
    for (const durability of ["relaxed", "flushed"] as const) {
      await using staged = await stage("storage.packing=off", `storage.durability=${durability}`);
      const { disk, node } = staged;
      const flushesSoFar = async (): Promise<number> => {
        const { fsync = 0, fsyncdir = 0 } = await disk.counts();
        return fsync + fsyncdir;
      };
      const before = await flushesSoFar();
      const { stored } = await uploadMany(node, "stored");
      for (const name of stored.keys()) await once(node, (storage) => storage.remove(name));
      const made = (await flushesSoFar()) - before;
      if (durability === "relaxed") expect(made).toBe(0);
      // A delete alone needs one of the binlog and one of the directory.
      else expect(made).toBeGreaterThanOrEqual(2 * parallel);
    }
  },
  limitMs,
);
