/** What becomes of store paths that are looked at again, as the main thread sees it. */
import { expect, test } from "vitest";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import { DoubtfulPaths } from "#storage/doubtful-paths.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

const running: RecheckFacts = {
  ...{ why: "power-cut", state: "running", percent: 3, lost: 0, examples: [] },
};
const done: RecheckFacts = { ...running, state: "done", percent: 100, lost: 2 };

function stage() {
  const facts = new Map<number, RecheckFacts>();
  const doubts: (string | undefined)[] = [];
  const mends: { readonly why: string; readonly mended: () => void }[] = [];
  const settled: number[] = [];
  const world = { peers: "some" as "some" | "none" | "unknown", fails: false };
  const paths = new DoubtfulPaths({
    log: collectedLog().log,
    store: {
      served: [0, 1],
      recheckOf: (index) => facts.get(index),
      settleRecheck: (index) => {
        settled.push(index);
        return world.fails ? Promise.reject(new Error("no disk")) : Promise.resolve();
      },
    },
    peers: () => world.peers,
    mend: (why, mended) => mends.push({ why, mended }),
    onDoubt: (why) => doubts.push(why),
  });
  return { paths, facts, doubts, mends, settled, world };
}

test("while files are looked at nothing is compared; then once, and the path is settled when all is mended", () => {
  const { paths, facts, doubts, mends, settled } = stage();
  paths.look();
  facts.set(1, running);
  paths.look();
  expect(doubts).toEqual([undefined, "files of store path 1 may have been lost"]);
  expect(mends).toEqual([]);
  facts.set(1, { ...done, why: "binlog-lost" });
  paths.look();
  paths.look();
  expect(mends.map(({ why }) => why)).toEqual(["binlog-lost"]);
  expect(settled).toEqual([]);
  mends[0]?.mended();
  expect(settled).toEqual([1]);
  facts.set(1, { ...done, state: "settled" });
  paths.look();
  expect(doubts.at(-1)).toBe(undefined);
  expect(mends.length).toBe(1);
});

test("where nobody else has the files the path is settled at once, but not before a tracker has told", () => {
  const { paths, facts, mends, settled, world } = stage();
  facts.set(0, done);
  world.peers = "unknown";
  paths.look();
  expect(settled).toEqual([]);
  world.peers = "none";
  paths.look();
  paths.look();
  expect({ settled, mends }).toEqual({ settled: [0], mends: [] });
});

test("a path that could not be settled is tried again, and one that was opened anew is compared again", async () => {
  const { paths, facts, mends, settled, world } = stage();
  world.fails = true;
  world.peers = "none";
  facts.set(0, done);
  paths.look();
  await new Promise((resolve) => setImmediate(resolve));
  paths.look();
  expect(settled).toEqual([0, 0]);
  world.peers = "some";
  facts.set(0, running);
  paths.look();
  facts.set(0, done);
  paths.look();
  expect(mends.length).toBe(1);
});
