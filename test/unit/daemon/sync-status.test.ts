import { expect, test } from "vitest";
import { maxShownAside } from "#control/operations/sync-links.ts";
import { syncProblems, syncStatus } from "#daemon/sync-status.ts";
import { StorageId } from "#model/storage-id.ts";
import type { ReplicationSnapshot } from "#storage/replication.ts";
import { noLinks } from "../../support/sync-snapshots.ts";

const aside = { line: "5 C M00/00/00/a", why: "EIO", since: 7, tries: 2 };
const path = {
  ...{ storePathIndex: 0, pending: 3, backlogBytes: 100, oldestTimestamp: 5, isKnown: true },
  ...{ aside: [], problem: undefined },
};

function snapshot(paths: ReplicationSnapshot["links"][number]["paths"]): ReplicationSnapshot {
  const peer = StorageId("10.0.0.2");
  const link = {
    peer,
    phase: "sending",
    state: "sends changes as they happen",
    dialect: "c",
  } as const;
  return { ...noLinks, links: [{ ...link, paths, lagSeconds: 4, heldUntil: 0 }] };
}

test("a link is told with what it still has to send", () => {
  const links = syncStatus(snapshot([path, { ...path, storePathIndex: 1 }]));
  expect(links).toEqual([
    {
      peer: "10.0.0.2",
      state: "sends changes as they happen",
      software: "original",
      ...{ pendingRecords: 6, backlogBytes: 200, lagSeconds: 4 },
      ...{ problems: [], setAside: 0, aside: [] },
    },
  ]);
  expect(syncProblems(links)).toEqual([]);
});

test("a store path that does not move, and what was set aside, are problems in words", () => {
  const many = Array.from({ length: maxShownAside + 1 }, () => aside);
  const links = syncStatus(snapshot([{ ...path, problem: "it has no room", aside: many }]));
  expect(links?.[0]?.aside.length).toBe(maxShownAside);
  expect(syncProblems(links)).toEqual([
    "Storage 10.0.0.2 gets nothing of store path 0: it has no room.",
    `${maxShownAside + 1} changes could not be sent to storage 10.0.0.2; they are tried again by themselves. The first one: 5 C M00/00/00/a, because EIO.`,
  ]);
});

test("a node that is no storage has no links", () => {
  expect(syncStatus(undefined)).toBeUndefined();
  expect(syncProblems(undefined)).toEqual([]);
});
