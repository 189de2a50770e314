import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { reportLifeMs, reportWaitMs, StatusReports } from "#storage/status-reports.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const [id, other] = [StorageId("10.0.0.2"), StorageId("10.0.0.3")];
const trackers = ["a", "b"];
const syncing = { id, status: storageStatus.syncing };
const offline = { id, status: storageStatus.offline };

test("each tracker hears each report once, and whoever reports waits for the one that counts", async () => {
  const reports = new StatusReports(new ManualClock());
  let taken = 0;
  const wait = reports.add(syncing, trackers).then(() => {
    taken += 1;
  });
  const [owed] = reports.owedTo("b");
  expect(owed).toMatchObject(syncing);
  if (owed !== undefined) reports.heard("b", owed, false);
  await Promise.resolve();
  expect([taken, reports.owedTo("b"), reports.owedTo("a").length]).toEqual([0, [], 1]);
  for (const report of reports.owedTo("a")) reports.heard("a", report, true);
  await wait;
  expect([taken, reports.owedTo("a")]).toEqual([1, []]);
});

test("a newer report takes the place of an older one, also while that one is on its way", async () => {
  const reports = new StatusReports(new ManualClock());
  reports.add(syncing, ["a"]).catch(() => {});
  const [old] = reports.owedTo("a");
  const wait = reports.add(offline, ["a"]);
  if (old !== undefined) reports.heard("a", old, true);
  const [owed] = reports.owedTo("a");
  expect(owed).toMatchObject(offline);
  if (owed !== undefined) reports.heard("a", owed, true);
  await wait;
});

test("a report that nobody takes fails, stays due for those who come back, and ends with time", async () => {
  const clock = new ManualClock();
  const reports = new StatusReports(clock);
  const wait = reports.add(syncing, trackers);
  clock.advance(reportWaitMs);
  await expect(wait).rejects.toThrow("10.0.0.2");
  expect(reports.owedTo("a")).toHaveLength(1);
  clock.advance(reportLifeMs - reportWaitMs + 1);
  expect([reports.owedTo("a"), reports.owedTo("b"), reports.owedTo("c")]).toEqual([[], [], []]);
});

test("of a member that is gone nobody needs to hear", () => {
  const reports = new StatusReports(new ManualClock());
  reports.add(syncing, trackers).catch(() => {});
  reports.add({ ...syncing, id: other }, trackers).catch(() => {});
  reports.forget(id);
  expect(reports.owedTo("a").map((report) => report.id)).toEqual([other]);
});
