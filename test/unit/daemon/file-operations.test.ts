/** Scrubs as operations: which store paths are meant, and how far they are. */
import { expect, test } from "vitest";
import type { Caller } from "#control/caller.ts";
import { fileHandlers, type ScrubbedStorage } from "#daemon/file-operations.ts";
import { emptyTally } from "#filestore/scrub/findings.ts";

const caller = { name: "test", access: "owner" } as Caller;

function storage(half: ScrubbedStorage["half"], ordered: string[]): ScrubbedStorage {
  const scrub = {
    ...({ storePath: 0, state: "running", begunAt: 100, endedAt: 0, nextAt: 0 } as const),
    ...{ directoriesDone: 1, directoriesTotal: 4, activeMs: 1000, tally: emptyTally() },
    ...{ damaged: [], damagedTotal: 0, healed: 0, problem: undefined },
  };
  return {
    half,
    store: { paths: [{ index: 0, directory: "/srv/disk0" }] },
    storage: {
      scrub: {
        order: async (order, storePath) => {
          ordered.push(`${half ?? "only"} ${order} ${storePath ?? "all"}`);
          return 1;
        },
      },
      receipts: { ask: async () => [] },
      snapshot: () => ({ scrubs: [scrub] }),
    },
  };
}

test("orders go to the halves and paths that are meant; others are refused", async () => {
  const ordered: string[] = [];
  const both = [storage("first", ordered), storage("second", ordered)];
  const handlers = fileHandlers(
    () => both,
    () => "group1",
  );
  expect(await handlers.orderScrub({ order: "start" }, caller)).toEqual({ changed: 2 });
  await handlers.orderScrub({ order: "pause", half: "second", storePath: 0 }, caller);
  expect(ordered).toEqual(["first start all", "second start all", "second pause 0"]);
  await expect(handlers.orderScrub({ order: "start", storePath: 3 }, caller)).rejects.toThrow(
    "no store path 3",
  );
  const none = fileHandlers(
    () => [],
    () => "group1",
  );
  await expect(none.orderScrub({ order: "start" }, caller)).rejects.toThrow("stores no files");
});

test("a report tells progress and what is left of it", async () => {
  const handlers = fileHandlers(
    () => [storage(undefined, [])],
    () => "group1",
  );
  expect(await handlers.reportScrub({}, caller)).toMatchObject({
    paths: [{ progressPercent: 25, remainingSeconds: 3, directory: "/srv/disk0" }],
  });
  await expect(handlers.receipt({ id: "group2/M00/00/00/x" }, caller)).rejects.toThrow("group1");
});
