/**
 * Goal: inventories, listings, searches and lists of a store path reach the main thread whole. Method: real worker threads on a temporary
 * directory with more files than one block has room for; what peers would ask is asked by the same words over the wire as well.
 */
import { mkdir, mkdtemp, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { binlogStart } from "#filestore/binlog/position.ts";
import { leafCount } from "#filestore/inventory/inventory-table.ts";
import type { PathInventory } from "#filestore/inventory/path-inventory.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { eventually } from "../../../support/node-group.ts";
import { pathSettings } from "../../../support/store-fixture.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function store(identity?: { readonly newId: string }) {
  const root = await mkdtemp(join(tmpdir(), "cairn-inventory-"));
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  const directory = join(root, "path0");
  await mkdir(directory);
  const settings = { ...pathSettings(0, directory), rotateCount: 5000 };
  const files = new LocalFileStore({
    paths: [identity === undefined ? settings : { ...settings, identity }],
    workers: nodeWorkers(),
    clock: nodeClock,
    log: collectedLog().log,
    reserved: () => ({ kind: "bytes", bytes: 0 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  await files.start();
  cleanups.push(() => files.close());
  const inventory = files.inventories.of(0);
  if (inventory === undefined) throw new Error("there is no path");
  return { files, directory, inventory };
}

async function put(files: LocalFileStore, count: number): Promise<string[]> {
  const wanted = { storePathIndex: 0, extension: "bin", kind: "normal" } as const;
  const each = Array.from({ length: count }, (_, at) => at);
  return Promise.all(each.map((at) => files.upload(wanted, flowOfBytes(Buffer.from(`${at}`)))));
}

async function walked(inventory: PathInventory): Promise<number> {
  const walk = (await inventory.begin(new Map(), 100)) ?? 0;
  let done = 0;
  await eventually(10_000, async () => {
    done = (await inventory.progress(walk)).leavesDone;
    return done === leafCount;
  });
  return walk;
}

test("a walk, its table and the listing of a full directory agree; names are searched for by the thousand", async () => {
  const { files, inventory } = await store();
  const names = await put(files, 3000);
  const [first = ""] = names;
  await files.remove(first);
  const walk = await walked(inventory);
  expect(await inventory.progress(walk)).toEqual({ leavesDone: leafCount, files: 2999 });
  const table = await inventory.take(walk);
  expect(table.root.count).toBe(2999);
  expect(table.leaf(0).count).toBe(2999);
  await expect(inventory.progress(walk)).rejects.toThrow("no such inventory");
  const counts = [await inventory.counts(-1), await inventory.counts(0), await inventory.counts(7)];
  const filled = counts.map((each) => [...each.entries()].filter(([, count]) => count > 0));
  expect(filled).toEqual([[[0, 1]], [[0, 2999]], []]);
  const listed: string[] = [];
  for (let more = true; more; ) {
    const page = await inventory.leaf(0, listed.at(-1) ?? "", new Map());
    for (const { key } of page.entries) listed.push(key);
    more = page.more;
  }
  expect(listed).toEqual(
    names
      .slice(1)
      .map((name) => name.slice(10))
      .sort(),
  );
  const answers = await inventory.search([...names, "M00/00/00/nobody-knows"]);
  const kinds = answers.map(({ kind }) => kind);
  expect([kinds[0], kinds[1], kinds.at(-1)]).toEqual(["deleted", "there", "unknown"]);
  expect(kinds.filter((kind) => kind === "there")).toHaveLength(2999);
}, 30_000);

test("the list has what is there, in the order of the binlog", async () => {
  const { files, inventory, directory } = await store();
  const names = await put(files, 2500);
  await unlink(join(directory, "data", (names[7] ?? "").slice(4)));
  let text = "";
  let from = binlogStart;
  for (let atEnd = false; !atEnd; ) {
    const page = await inventory.names(from);
    text += Buffer.from(page.lines).toString("latin1");
    from = page.next;
    ({ atEnd } = page);
  }
  const listed = text
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" ")[2]);
  expect(listed.sort()).toEqual(names.filter((_, at) => at !== 7).sort());
}, 30_000);

test("the store tells which paths are served, and what each was when it was opened", async () => {
  const newId = "0123456789abcdef0123456789abcdef";
  const { files } = await store({ newId });
  expect(files.inventories.served).toEqual([0]);
  expect(files.inventories.identityOf(0)).toMatchObject({
    id: newId,
    isNew: true,
    hadFiles: false,
  });
  expect(files.inventories.of(1)).toBeUndefined();
  expect(files.inventories.identityOf(1)).toBeUndefined();
});
