/** Copies of the state, with a real database and disks in memory. */
import { expect, test } from "vitest";
import { StateKeeper } from "#daemon/state-keeper.ts";
import { parseStateCopy } from "#disks/state-copy.ts";
import { DiskId } from "#model/disk-id.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { someNode } from "../../support/passports.ts";
import { turns } from "../../support/settled.ts";

function stage() {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const database = openStateDatabase(nodeDatabases(), ":memory:", log);
  const written: { path: number; bytes: Uint8Array }[] = [];
  const disks: { diskId: DiskId; storePathIndex: number }[] = [];
  const failing = new Set<number>();
  const asleep = new Set<number>();
  const keeper = new StateKeeper({
    ...{ clock, log, database, nodeId: someNode(1).owner.id, identity: "who I am\n" },
    carriers: () => disks,
    mayWrite: (path) => !asleep.has(path),
    write: async (path, { bytes }) => {
      if (failing.has(path)) throw new Error("the disk is full");
      written.push({ path, bytes });
    },
  });
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await turns(2);
    }
  };
  const change = () =>
    database.execute("INSERT INTO disks VALUES (hex(randomblob(16)), 'store', 1)");
  const events = () => records.map(({ event }) => event);
  const add = (digit: string, storePathIndex: number) =>
    disks.push({ diskId: DiskId(digit.repeat(32)), storePathIndex });
  return { keeper, written, failing, asleep, pass, change, events, add, database };
}

test("two of the disks get a copy soon, each minute where something changed, and none while nothing does", async () => {
  const { keeper, written, pass, change, add } = stage();
  keeper.start();
  await pass(5);
  expect(written).toEqual([]);
  add("a", 0);
  add("b", 2);
  add("c", 1);
  await pass(3);
  expect(written.map(({ path }) => path)).toEqual([0, 2]);
  await pass(200);
  expect(written.length).toBe(2);
  change();
  await pass(5);
  change();
  await pass(30);
  expect(written.length).toBe(4);
  await pass(60);
  expect(written.length).toBe(6);
  const copies = written.map(({ bytes }) => parseStateCopy(bytes));
  expect(copies.map(({ sequence }) => sequence)).toEqual([1, 1, 2, 2, 3, 3]);
  expect(copies[0]).toMatchObject({ nodeId: someNode(1).owner.id, identity: "who I am\n" });
  expect(Buffer.from(copies[0]?.state ?? []).toString("latin1", 0, 15)).toBe("SQLite format 3");
});

test("the end writes what has changed; a disk that cannot be written is tried again, and told of", async () => {
  const { keeper, written, failing, pass, change, events, add } = stage();
  add("a", 0);
  add("b", 1);
  failing.add(1);
  keeper.start();
  await pass(3);
  expect([written.length, events().includes("state-not-copied")]).toEqual([1, true]);
  failing.clear();
  await pass(62);
  expect(written.map(({ path }) => path)).toEqual([0, 1]);
  change();
  await keeper.stop();
  expect(written.length).toBe(4);
  await keeper.stop();
  expect(written.length).toBe(4);
});

test("what only counts, or tells how far things have got, wakes nobody: it goes with the next copy, and with the last", async () => {
  const { keeper, written, pass, change, add, database } = stage();
  add("a", 0);
  keeper.start();
  await pass(3);
  expect(written.length).toBe(1);
  for (let minute = 0; minute < 60; minute += 1) {
    database.execute(
      `INSERT OR REPLACE INTO storage_counts (kind, total, success) VALUES ('upload', ${minute}, 1);
       INSERT OR REPLACE INTO storage_held (source, held_until, gaps) VALUES ('10.0.0.2', ${minute}, 0);
       INSERT OR REPLACE INTO tracker_times (name, seconds) VALUES ('alive', ${minute})`,
    );
    await pass(60);
  }
  expect(written.length).toBe(1);
  change();
  await pass(3);
  expect(written.length).toBe(2);
  await keeper.stop();
  expect(written.length).toBe(2);
  database.execute("UPDATE storage_counts SET total = 99");
  await keeper.stop();
  expect(written.length).toBe(3);
});

test("a disk that sleeps gets its copy when it wakes, at the end, or after a day; the other one at once", async () => {
  const { keeper, written, asleep, pass, change, add } = stage();
  add("a", 0);
  add("b", 1);
  keeper.start();
  await pass(3);
  written.length = 0;
  asleep.add(0);
  change();
  await pass(200);
  expect(written.map(({ path }) => path)).toEqual([1]);
  asleep.delete(0);
  await pass(5);
  expect(written.map(({ path }) => path)).toEqual([1, 0]);
  asleep.add(0).add(1);
  change();
  await pass(23 * 3600);
  expect(written.length).toBe(2);
  await pass(3700);
  expect(written.length).toBe(4);
  change();
  await keeper.stop();
  expect(written.length).toBe(6);
});
