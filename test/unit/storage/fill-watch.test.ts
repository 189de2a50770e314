import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { type FillCondition, FillWatch, hasSubstitute } from "#storage/fill-watch.ts";
import type { Peer } from "#storage/peer-directory.ts";

const { active, offline, online, syncing, waitSync, recovery, init } = storageStatus;
const source = StorageId("10.0.0.2");
const other = StorageId("10.0.0.3");
const patienceMs = 1000;

function peer(id: StorageId, status: StorageStatus): Peer {
  return {
    ...{ id, addresses: [id], formerAddresses: [], port: 23000, status, sinceMs: 5 },
    ...{ mode: readWriteMode.both, cairn: true },
  };
}

const waiting: FillCondition = {
  own: { status: syncing, settled: true, source, until: 5, filled: false },
  peers: [peer(source, offline), peer(other, active)],
  hearsLeader: true,
  changes: 7,
};

/** What the watch says at each of these times, with what differs then. */
function said(...steps: readonly (readonly [atMs: number, changes?: Partial<FillCondition>])[]) {
  const watch = new FillWatch(patienceMs);
  watch.look({ ...waiting, peers: [], hearsLeader: false }, 0);
  return steps.map(([atMs, changes]) => watch.look({ ...waiting, ...changes }, atMs));
}

test("a source that is away is given up when the patience is over, once, whatever it is called", () => {
  expect(said([100], [1099], [1100], [1101])).toEqual(["wait", "wait", "give-up", "wait"]);
  const own = { ...waiting.own, status: waitSync };
  for (const status of [offline, recovery, syncing, waitSync] as const) {
    const changes = { own, peers: [peer(source, status), peer(other, active)] };
    expect(said([100, changes], [1100, changes]), String(status)).toEqual(["wait", "give-up"]);
  }
  const gone = { peers: [peer(other, active)] };
  expect(said([100, gone], [1100, gone])).toEqual(["wait", "give-up"]);
});

test("the count begins anew whenever the source is back, something comes in, or nobody can tell", () => {
  const news: readonly Partial<FillCondition>[] = [
    { peers: [peer(source, active), peer(other, active)] },
    { peers: [peer(source, online), peer(other, active)] },
    { changes: 6 },
    { hearsLeader: false },
  ];
  for (const one of news) {
    // `changes` is another number again afterwards.
    const after = one.changes === undefined ? waiting : { ...waiting, changes: 6 };
    const steps = said([100], [1000, one], [1100, after], [2099, after], [2100, after]);
    expect(steps, JSON.stringify(one)).toEqual(["wait", "wait", "wait", "wait", "give-up"]);
  }
});

test("nobody is given up for whom there is no substitute, or who is not needed any more", () => {
  const alone = { peers: [peer(source, offline), peer(other, offline)] };
  expect(said([100, alone], [9000, alone], [9001])).toEqual(["wait", "wait", "give-up"]);
  const filled = { own: { ...waiting.own, filled: true } };
  const undecided = { own: { ...waiting.own, source: undefined } };
  for (const status of [active, offline, init] as const) {
    const settled = { own: { ...waiting.own, status } };
    expect(said([100, settled], [9000, settled]), String(status)).toEqual(["wait", "wait"]);
  }
  expect(said([100, filled], [9000, filled])).toEqual(["wait", "wait"]);
  expect(said([100, undecided], [9000, undecided])).toEqual(["wait", "wait"]);
});

test("a source that is quiet for half a minute is doubted again and again, whether it is there or not", () => {
  for (const status of [active, offline] as const) {
    const quiet = { peers: [peer(source, status)] };
    const half = 30_000;
    expect(said([0, quiet], [half - 1, quiet], [half, quiet], [half + 1, quiet])).toEqual([
      ...["wait", "wait", "doubt", "wait"],
    ]);
    const steps = [0, half, half + 5, 2 * half + 4, 2 * half + 5].map((at) => [at, quiet] as const);
    expect(said(...steps)).toEqual(["wait", "doubt", "wait", "wait", "doubt"]);
    const news = { ...quiet, changes: 8 };
    expect(said([0, quiet], [half - 1, news], [half, news], [2 * half - 1, news])).toEqual([
      ...["wait", "wait", "wait", "wait"],
    ]);
  }
});

test("a substitute is ACTIVE, takes files, and is another one", () => {
  const { own } = waiting;
  expect(hasSubstitute(own, [peer(other, active)])).toBe(true);
  expect(hasSubstitute(own, [peer(source, active)])).toBe(false);
  expect(hasSubstitute(own, [peer(other, online)])).toBe(false);
  expect(hasSubstitute(own, [{ ...peer(other, active), mode: readWriteMode.read }])).toBe(false);
});
