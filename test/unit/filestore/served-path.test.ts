/** A store path's owner: what it does with its worker, its free space and its refusals. The edges are in `path-machine.test.ts`. */
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { ServedPath } from "#filestore/served-path.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const gibibyte = 1024 ** 3;

async function stage(device = 7) {
  const records: LogRecord[] = [];
  const clock = new ManualClock();
  const client = {
    settings: { index: 0, directory: "/srv/disk1", readOnly: false },
    state: "online",
    problem: undefined,
    readOnly: undefined,
    start: async () => {},
    admit: () => {},
    abandonedCount: 0,
    ...{ progress: { answered: 0, calls: 0, flushing: 0, flushed: 0 }, isBusy: false, lastId: 0 },
    expireNothing: () => {},
    probe: async () => ({ a: 10 * gibibyte, b: 4 * gibibyte, c: device, text: "3 192 64 1" }),
  } as unknown as StorePathClient;
  const log = new Log("filestore", (record) => records.push(record));
  const start = () => expect.fail("the client starts it");
  const workers = { start, afterTurn: start };
  const path = new ServedPath(client, { clock, log, workers, diskTimeoutMs: 20_000 });
  await path.open();
  return { path, clock, records };
}

const readOnly = fileStoreError("disk-failed", "EROFS", { details: { errno: "EROFS" } });

test("a path that refuses writes is avoided for a while, and logged once", async () => {
  const { path, clock, records } = await stage();
  path.failed(readOnly);
  path.failed(readOnly);
  expect(path.isAvoided).toBe(true);
  expect(records.map(({ event }) => event)).toEqual(["store-path-refuses-writes"]);
  expect(path.report.problem).toMatch(/refuses writes/);
  clock.advance(10_001);
  expect(path.isAvoided).toBe(false);
  path.stored(1);
  expect(records.map(({ event }) => event)).toContain("store-path-writes-again");
  expect(path.report.problem).toBe(undefined);
});

test("a path whose disk fails often comes last for new files for an hour, and says so", async () => {
  const { path, clock, records } = await stage();
  const { watch } = path.client;
  path.look();
  for (let count = 0; count < 5; count += 1) watch.failed(readOnly);
  path.look();
  expect(path.isAvoided).toBe(false);
  // Files that a scrub found count as well.
  path.foundUnreadable(3);
  path.look();
  expect([path.isAvoided, path.isWritable, path.report.state]).toEqual([true, true, "online"]);
  expect(path.report.problem).toMatch(/fails to give what it was given/);
  expect(records.map(({ event }) => event)).toEqual(["store-path-fails-often"]);
  clock.advance(3_600_001);
  expect(path.isAvoided).toBe(false);
  expect(path.report.problem).toBe(undefined);
});

test("paths on one file system report equal parts of it", async () => {
  const [one, two, other] = [await stage(7), await stage(7), await stage(8)];
  const paths = [one.path, two.path, other.path];
  for (const path of paths) path.learnNeighbours(paths);
  expect(paths.map(({ report }) => report.totalBytes / gibibyte)).toEqual([5, 5, 10]);
  expect(paths.map(({ report }) => report.freeBytes / gibibyte)).toEqual([2, 2, 4]);
});
