/** A store path is passed over while it refuses writes, and that is said once. */
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { WriteRefusals } from "#filestore/write-refusals.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const readOnly = fileStoreError("disk-failed", "EROFS", { details: { errno: "EROFS" } });

function stage() {
  const records: LogRecord[] = [];
  const clock = new ManualClock();
  const log = new Log("filestore", (record) => records.push(record));
  const refusals = new WriteRefusals({ index: 3, directory: "/disk" }, { clock, log });
  return { refusals, clock, events: () => records.map(({ event }) => event) };
}

test("a refused write is remembered for ten seconds, or until one is done", () => {
  const { refusals, clock, events } = stage();
  refusals.failed(readOnly);
  refusals.failed(readOnly);
  expect([refusals.refused, refusals.inWords]).toEqual([true, expect.stringMatching(/refuses/)]);
  clock.advance(10_001);
  expect([refusals.refused, refusals.inWords]).toEqual([false, expect.stringMatching(/refuses/)]);
  refusals.failed(readOnly);
  refusals.stored();
  expect([refusals.refused, refusals.inWords]).toEqual([false, undefined]);
  expect(events()).toEqual(["store-path-refuses-writes", "store-path-writes-again"]);
});

test("a full path is told from a failing one, and the reserve is as full as the disk", () => {
  const { refusals, events } = stage();
  refusals.failed(fileStoreError("store-full", "no room", { details: { errno: "ENOSPC" } }));
  expect(refusals.inWords).toMatch(/full/);
  refusals.reachedReserve(fileStoreError("store-full", "the reserve"), 5);
  refusals.failed(readOnly);
  expect(events()).toEqual(["store-path-full", "store-path-refuses-writes"]);
});

test("what is the request's own fault is no refusal, and said now and then at most", () => {
  const { refusals, clock, events } = stage();
  const tooLarge = fileStoreError("store-full", "no room for 2^60 bytes");
  refusals.failed(fileStoreError("file-invalid", "no such name"));
  refusals.failed(new Error("something else"));
  refusals.failed(tooLarge);
  refusals.failed(tooLarge);
  clock.advance(10_000);
  refusals.failed(tooLarge);
  expect([refusals.refused, refusals.inWords]).toEqual([false, undefined]);
  expect(events()).toEqual(["store-path-lacks-space", "store-path-lacks-space"]);
});

test("a path that was full is not any more when there is room again, though nobody has written since", () => {
  const { refusals, clock } = stage();
  const MiB = 1024 * 1024;
  const full = fileStoreError("store-full", "no room", { details: { errno: "ENOSPC" } });
  refusals.failed(full);
  refusals.measured(900 * MiB, 1000 * MiB);
  expect(refusals.inWords).toMatch(/full/);
  clock.advance(10_001);
  refusals.measured(9 * MiB, 1000 * MiB);
  expect(refusals.inWords).toMatch(/full/);
  refusals.measured(10 * MiB, 1000 * MiB);
  expect(refusals.inWords).toBeUndefined();
  refusals.reachedReserve(full, 200 * MiB);
  clock.advance(10_001);
  refusals.measured(209 * MiB, 1000 * MiB);
  expect(refusals.inWords).toMatch(/full/);
  refusals.measured(210 * MiB, 1000 * MiB);
  expect(refusals.inWords).toBeUndefined();
});
