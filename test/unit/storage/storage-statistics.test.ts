/** Counting for beats, monitoring and metrics. */
import { expect, test } from "vitest";
import { StorageCounters } from "#storage/storage-statistics.ts";

const connections = { current: 3, peak: 5, limit: 256, refused: 1 };

test("attempts and successes are counted apart, in numbers and in bytes", () => {
  const counters = new StorageCounters();
  counters.attempt("uploads");
  counters.attempt("uploads");
  counters.succeed("uploads");
  counters.attempt("uploadBytes", 100);
  counters.succeed("uploadBytes", 100);
  counters.sourceUpdated(1_700_000_000);
  expect(counters.snapshot(connections)).toMatchObject({
    uploads: { total: 2, success: 1 },
    uploadBytes: { total: 100, success: 100 },
    downloads: { total: 0, success: 0 },
    connections: { allocated: 256, current: 3, max: 5 },
    lastSourceUpdate: 1_700_000_000,
  });
});

test("every count that changes is news for the next beat", () => {
  const counters = new StorageCounters();
  const seen = [counters.revision];
  counters.attempt("downloads");
  seen.push(counters.revision);
  counters.succeed("downloads");
  seen.push(counters.revision);
  expect(new Set(seen).size).toBe(3);
});

test("an earlier run's counts are continued", () => {
  const first = new StorageCounters();
  first.attempt("deletes", 4);
  const saved = Object.fromEntries(first.entries());
  const second = new StorageCounters(saved);
  second.attempt("deletes");
  expect(second.snapshot(connections).deletes).toEqual({ total: 5, success: 0 });
});
