import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { AsideList } from "#sync/aside-list.ts";
import { asideTriesAtOnce, firstAsidePauseMs, maxAsideRecords } from "#sync/limits.ts";
import type { PushedRecord } from "#sync/push.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

const clock = new ManualClock();

function list(store = new MemorySyncStore()): AsideList {
  const parts = { store, clock, log: new Log("test", () => {}) };
  return new AsideList({ ...parts, storePathIndex: 0, peer: "b", markName: () => "b" });
}

function record(at: number, kind: "create" | "delete" = "create"): PushedRecord {
  const name = `M00/00/00/file${at}`;
  const line = `1 ${kind === "create" ? "C" : "D"} ${name}`;
  const entry = { kind, timestamp: 1, replica: false, name } as const;
  return { entry, line, whole: undefined, tries: 0, wasAside: false };
}

const why = { why: "EIO", unreadable: true };

test("each is tried again after a pause that grows, and not twice at the same time", () => {
  const aside = list();
  aside.add(record(1), why);
  const now = clock.monotonicMs();
  expect(aside.due(now + firstAsidePauseMs - 1, true)).toEqual([]);
  expect(aside.due(now + firstAsidePauseMs, true).length).toBe(1);
  expect(aside.due(now + firstAsidePauseMs, true)).toEqual([]);
  aside.interrupted();
  expect(aside.due(now + firstAsidePauseMs, true).length).toBe(1);
  aside.add(record(1), why);
  expect(aside.due(now + firstAsidePauseMs, true)).toEqual([]);
  expect(aside.due(now + 2 * firstAsidePauseMs, true).length).toBe(1);
  expect(aside.records).toMatchObject([{ tries: 2 }]);
  aside.remove(record(1).line);
  expect(aside.records).toEqual([]);
});

test("the list is bounded, and few are tried at once, fewer while others flow", () => {
  const aside = list();
  for (let at = 0; at < maxAsideRecords; at += 1) expect(aside.add(record(at), why)).toBe(true);
  expect(aside.add(record(maxAsideRecords), why)).toBe(false);
  const later = clock.monotonicMs() + firstAsidePauseMs;
  expect(aside.due(later, false).length).toBe(1);
  expect(aside.due(later, true).length).toBe(asideTriesAtOnce);
});

test("a deletion that cannot be told leaves no gap", () => {
  const aside = list();
  aside.add(record(1, "delete"), why);
  expect(aside.gaps).toBe(0);
  aside.add(record(2), why);
  expect(aside.gaps).toBe(1);
});

test("after a restart all are tried at once, and none is taken for unreadable here until a try has told", async () => {
  const store = new MemorySyncStore();
  const before = list(store);
  before.add(record(1), { why: "the peer's disk failed", unreadable: false });
  before.add(record(2), why);
  await before.save();
  const aside = list(store);
  await aside.load();
  const due = [1, 2].map((at) => ({ line: record(at).line, unreadable: false }));
  expect(aside.due(clock.monotonicMs(), true)).toEqual(due);
});
