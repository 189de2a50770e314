import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { maxWindowRecords } from "#sync/limits.ts";
import { WaitingBacklog } from "#sync/waiting-backlog.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

const plan = { needSyncOld: false, oldDone: false, until: 0 };

test("what waits is counted a page at a time, and what was not read in bytes", async () => {
  const store = new MemorySyncStore();
  for (let at = 0; at < maxWindowRecords + 2000; at += 1) store.upload(Buffer.from(String(at)));
  const backlog = new WaitingBacklog(store, 0);
  expect(backlog.report).toMatchObject({ pending: 0, isKnown: false });
  await backlog.look(undefined, plan);
  const { pending, backlogBytes } = backlog.report;
  expect(pending).toBeGreaterThan(100);
  expect(backlogBytes).toBeGreaterThan(0);
  expect(backlog.report).toMatchObject({ oldestTimestamp: 1000, isKnown: true });
  for (let turn = 0; turn < 50; turn += 1) await backlog.look(undefined, plan);
  // As far as a sender would read ahead, and a page at most.
  expect(backlog.report.pending).toBeGreaterThanOrEqual(maxWindowRecords);
  expect(backlog.report.pending).toBeLessThan(maxWindowRecords + 2000);
  expect(backlog.report.backlogBytes).toBeGreaterThan(0);
});

test("what came from peers, and what a new member gets from another one, does not wait", async () => {
  const store = new MemorySyncStore();
  await store.removeReplica({ name: store.upload(Buffer.from("one")), timestamp: 5 });
  store.seconds = 5000;
  store.upload(Buffer.from("two"));
  const backlog = new WaitingBacklog(store, 0);
  await backlog.look(undefined, plan);
  expect(backlog.report).toMatchObject({ pending: 2, oldestTimestamp: 1000 });
  await backlog.look(undefined, { ...plan, until: 4000 });
  expect(backlog.report).toMatchObject({ pending: 1, oldestTimestamp: 5000 });
  // Its source sends what came from others as well.
  await backlog.look(undefined, { needSyncOld: true, oldDone: false, until: 6000 });
  expect(backlog.report).toMatchObject({ pending: 3 });
});

test("nothing is known while the store path cannot be read", async () => {
  const store = new MemorySyncStore();
  store.upload(Buffer.from("one"));
  const backlog = new WaitingBacklog(store, 0);
  await backlog.look(undefined, plan);
  expect(backlog.report.isKnown).toBe(true);
  store.trouble = fileStoreError("store-path-offline", "away");
  await expect(backlog.look(undefined, plan)).rejects.toThrow("away");
  expect(backlog.report).toMatchObject({ isKnown: false, oldestTimestamp: undefined });
});
