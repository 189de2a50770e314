/**
 * Goal: an inventory counts each file once, whatever its kind, and two paths with the same files have the same one. Method: engines over
 * files in memory, with normal, appender, slave and packed files and metadata; pages of each directory together are what was counted.
 */
import { expect, test } from "vitest";
import type { Horizons } from "#filestore/inventory/horizons.ts";
import {
  formatEntry,
  type InventoryEntry,
  parseEntry,
} from "#filestore/inventory/inventory-entry.ts";
import { InventoryTable, leafCount, sameNode } from "#filestore/inventory/inventory-table.ts";
import { InventoryDirectory } from "#filestore/worker/inventory-directory.ts";
import { isInventoryRequest } from "#filestore/worker/inventory-requests.ts";
import { listLeaf } from "#filestore/worker/inventory-walk.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { request } from "#filestore/worker-messages.ts";
import { sourceWordInName } from "#model/file-id.ts";
import { commit, openEngine, put, runSteps } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, runBackground } from "../../../support/packed-fixture.ts";

const everything: Horizons = new Map();

function walked(engine: StorePathEngine, clock: ManualClock, horizons = everything) {
  const number = engine.inventory.begin(horizons, 50);
  runBackground(engine, clock);
  const state = engine.inventory.state(number);
  if (state === undefined || state.leavesDone !== leafCount)
    throw new Error("the walk did not end");
  return state;
}

function listed(engine: StorePathEngine, room: number, horizons = everything): InventoryEntry[] {
  const found: InventoryEntry[] = [];
  for (let leaf = 0; leaf < 16 * 256; leaf += 1) {
    for (let after = "", more = true; more; ) {
      const page = runSteps(listLeaf(engine.world, leaf, { after, horizons, room }));
      const entries = page.lines
        .split("\n")
        .slice(0, -1)
        .map((line) => parseEntry(line));
      for (const entry of entries) {
        if (entry === undefined || entry.key <= after) throw new Error("out of order");
        found.push(entry);
        after = entry.key;
      }
      more = page.more;
    }
  }
  return found;
}

function filled() {
  const files = new MemoryFiles();
  files.makeDirectory("/disk");
  const clock = new ManualClock();
  const { engine } = openPacking({ files, clock, directory: "/disk" });
  const names = {
    large: put(engine, { kind: "normal", extension: "bin" }, "x".repeat(5000)),
    appender: put(engine, { kind: "appender", extension: "log" }, "one"),
    packed: [1, 2, 3, 4, 5].map((at) => putPacked(engine, `packed ${at}`)),
  };
  const slave = { kind: "slave", master: names.large, prefix: "-s", extension: "bin" } as const;
  put(engine, slave, "small");
  commit(engine, engine.prepareMetadata(names.large, "overwrite", Buffer.from("a\x02b")));
  return { files, clock, engine, names };
}

test("each kind of file is counted once, and listed with what tells it from another", () => {
  const { engine, clock, names } = filled();
  const state = walked(engine, clock);
  const entries = listed(engine, 4096);
  expect({ files: state.files, count: state.table.root.count }).toEqual({ files: 9, count: 9 });
  const kinds = entries.map(({ kind }) => kind).sort();
  expect(kinds).toEqual([
    "named",
    "slot",
    "slot",
    "slot",
    "slot",
    "slot",
    "stated",
    "stated",
    "stated",
  ]);
  const slots = entries.filter(({ kind }) => kind === "slot");
  expect(slots[1]).toMatchObject({ sizeBytes: 8, tail: names.packed[1]?.slice(-7) });
  engine.close();
});

test("listings in pages of any size are what the walk counted", () => {
  const { engine, clock } = filled();
  const whole = listed(engine, 100_000);
  for (const room of [150, 300]) expect(listed(engine, room)).toEqual(whole);
  const table = new InventoryTable();
  for (const entry of whole) table.add(0, formatEntry(entry));
  expect(walked(engine, clock).table.root.count).toBe(table.root.count);
  engine.close();
});

test("a change of any file changes the inventory, and nothing else does", () => {
  const { engine, clock, names, files } = filled();
  const before = walked(engine, clock).table.root;
  expect(sameNode(walked(engine, clock).table.root, before)).toBe(true);
  files.nowSeconds += 100;
  put(engine, { kind: "append", name: names.appender }, "two");
  const appended = walked(engine, clock).table.root;
  expect(sameNode(appended, before)).toBe(false);
  commit(engine, engine.prepareRemove(names.packed[2] ?? ""));
  const removed = walked(engine, clock).table.root;
  expect({ same: sameNode(removed, appended), count: removed.count }).toEqual({
    same: false,
    count: 8,
  });
  engine.close();
});

test("what may still be on its way is left out", () => {
  const { engine, clock, names } = filled();
  const word = sourceWordInName(names.large.slice(10)) ?? 0;
  expect(walked(engine, clock, new Map([[word, 0]])).files).toBe(0);
  expect(listed(engine, 4096, new Map([[word, 0]]))).toEqual([]);
  // Slots do not tell their source: the lowest horizon counts for them.
  expect(walked(engine, clock, new Map([[word + 1, 0]])).files).toBe(4);
  engine.close();
});

test("a directory that cannot be read ends the walk, and says so", () => {
  const files = new MemoryFiles();
  files.makeDirectory("/disk");
  const clock = new ManualClock();
  const engine = openEngine({ files, clock, directory: "/disk" });
  put(engine, { kind: "normal", extension: "" }, "a");
  const { list } = files;
  files.list = (path: string) => {
    if (/data\/..\/..$/.test(path)) return files.open(`${path}/none`, "read") as never;
    return list.call(files, path);
  };
  const number = engine.inventory.begin(everything, 100);
  runBackground(engine, clock);
  expect(engine.inventory.state(number)).toMatchObject({
    problem: expect.stringContaining("ENOENT"),
  });
  files.list = list;
  engine.close();
});

test("one walk at a time, and what it found is there until it is dropped", () => {
  const { engine, clock } = filled();
  const first = engine.inventory.begin(everything, 1);
  expect(engine.inventory.begin(everything, 1)).toBe(0);
  runBackground(engine, clock);
  expect(engine.inventory.state(first)?.leavesDone).toBe(leafCount);
  engine.inventory.end(first);
  expect(engine.inventory.state(first)).toBeUndefined();
  expect(engine.inventory.begin(everything, 1)).toBe(first + 1);
  engine.close();
});

test("what a walk found is there for whoever began it while others walk, but not for ever", () => {
  const { engine, clock } = filled();
  const numbers = Array.from({ length: 6 }, () => {
    const number = engine.inventory.begin(everything, 100);
    runBackground(engine, clock);
    return number;
  });
  const last = engine.inventory.begin(everything, 100);
  const leaves = [...numbers, last].map((number) => engine.inventory.state(number)?.leavesDone);
  expect(leaves).toEqual([undefined, undefined, ...Array(4).fill(leafCount), 0]);
  engine.inventory.end(numbers[5] ?? 0);
  expect(engine.inventory.state(numbers[5] ?? 0)).toBeUndefined();
  engine.close();
});

test("a directory that is not there has nothing; what is no file of ours is not listed", () => {
  const { engine, files } = filled();
  const { layout } = engine.world;
  const missing = new InventoryDirectory(engine.world, 0xffff, everything);
  expect({ names: missing.names, trunk: missing.trunkFiles }).toEqual({
    names: undefined,
    trunk: [],
  });
  const descriptor = files.open(`${layout.data}/00/00/notes.txt`, "create");
  files.close(descriptor);
  const directory = new InventoryDirectory(engine.world, 0, everything);
  expect(directory.names).toContain("notes.txt");
  expect(directory.entryOf("notes.txt")).toBeUndefined();
  expect([...directory.slots(999, 0)]).toEqual([]);
  engine.close();
});

test("its requests are told from others", () => {
  const own = Object.values(request).filter(isInventoryRequest);
  expect(own).toEqual([70, 71, 72, 73, 74, 75]);
});
