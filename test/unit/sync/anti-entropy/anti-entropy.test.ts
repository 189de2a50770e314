/** When comparisons are made, with whom, and what is told of them. The storages are models; time is the test's. */
import { expect, test } from "vitest";
import { sourceWordInName } from "#model/file-id.ts";
import { StorageId } from "#model/storage-id.ts";
import { AntiEntropy, type AntiEntropyParts } from "#sync/anti-entropy/anti-entropy.ts";
import type { InventorySide } from "#sync/anti-entropy/inventory-side.ts";
import {
  firstRoundMs,
  longestRestMs,
  restingRetryMs,
  retryRoundMs,
  unsettledRetryMs,
} from "#sync/anti-entropy/limits.ts";
import type { LocalInventories } from "#sync/anti-entropy/local-inventories.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { ModelStorage } from "../../../support/model-storage.ts";

const day = 86_400_000;
const name = "M00/00/00/oQoAAmsDh9OIIrfSAAAABdsMogw362.txt";

function stage(changes: Partial<AntiEntropyParts> = {}) {
  const clock = new ManualClock();
  const own = new ModelStorage("own");
  const peers = ["10.0.0.1", "10.0.0.3"].map((id) => new ModelStorage(id));
  for (const peer of peers) peer.asker = own;
  const inventories = {
    side: () => own,
    get horizons() {
      return own.horizons;
    },
  } as unknown as LocalInventories;
  const task = new AntiEntropy({
    ...{ clock, log: collectedLog().log, inventories, store: own, intervalMs: day, recheckMs: 0 },
    ownId: () => StorageId("10.0.0.2"),
    ownSources: () => [],
    storePaths: () => [0],
    peers: () =>
      peers.map((peer) => ({ id: StorageId(peer.title), files: peer, side: () => peer })),
    absent: () => [],
    rest: () => Promise.resolve(),
    ...changes,
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let turn = 0; turn < 400; turn += 1) {
      clock.advance(0);
      await Promise.resolve();
      if (turn % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { task, own, peers: peers as [ModelStorage, ModelStorage], pass };
}

const file = { content: "12345", modifiedSeconds: 7 };

test("the first round comes an hour after the start, the next a day later, and only with peers of a higher id", async () => {
  const { task, own, peers, pass } = stage();
  peers[0].put(name, file);
  task.start();
  await pass(firstRoundMs - 1);
  expect(task.report()).toMatchObject({ state: "waiting", rounds: 0 });
  await pass(1);
  expect(task.report()).toMatchObject({ state: "waiting", rounds: 1, found: 0 });
  expect(own.files.size).toBe(0);
  peers[1].put(name, file);
  await pass(day);
  expect(task.report()).toMatchObject({ rounds: 2, found: 1, repaired: 1, repairedTotal: 1 });
  expect(own.files.size).toBe(1);
  await task.stop();
});

test("who asks compares with all, once more where a round is under way", async () => {
  const { task, own, peers, pass } = stage({ intervalMs: 0 });
  peers[0].put(name, file);
  task.start();
  task.request("asked");
  expect(task.report()).toMatchObject({ state: "running" });
  task.request("asked");
  await pass(0);
  expect(own.files.size).toBe(1);
  expect(task.report()).toMatchObject({ rounds: 2, found: 0, repairedTotal: 2, next: 0 });
  await task.stop();
  task.request("asked");
  expect(task.report().state).toBe("waiting");
});

test("a peer that fails is told of, the others are compared with, and it is tried again", async () => {
  const { task, own, peers, pass } = stage();
  peers[1].put(name, file);
  const { begin } = peers[0];
  peers[0].begin = () => Promise.reject(new Error("no route"));
  task.request("asked");
  await pass(0);
  expect(own.files.size).toBe(1);
  expect(task.report()).toMatchObject({
    rounds: 1,
    lastProblem: expect.stringContaining("no route"),
  });
  peers[0].begin = begin;
  await pass(retryRoundMs);
  expect(task.report()).toMatchObject({ rounds: 2, lastProblem: undefined });
  await task.stop();
});

test("after a loss it is compared again until the peers have told what is held", async () => {
  const { task, own, peers, pass } = stage({ intervalMs: 0 });
  peers[1].put(name, file);
  const word = 0xa10a0002;
  own.horizons = new Map([[word, 0]]);
  for (const peer of peers) peer.horizons = new Map([[word, 0xffffffff]]);
  task.request("binlog-lost");
  await pass(0);
  expect({ files: own.files.size, rounds: task.report().rounds }).toEqual({ files: 0, rounds: 1 });
  own.horizons = new Map([[word, 0xffffffff]]);
  await pass(unsettledRetryMs);
  expect({ files: own.files.size, rounds: task.report().rounds }).toEqual({ files: 1, rounds: 2 });
  await task.stop();
});

test("a loss is mended only when everything was compared, and nothing was left to be repaired", async () => {
  const { task, own, peers, pass } = stage({ intervalMs: 0 });
  peers[1].put(name, file);
  const { begin } = peers[0];
  peers[0].begin = () => Promise.reject(new Error("no route"));
  let mended = 0;
  task.mend("power-cut", () => {
    mended += 1;
  });
  for (let round = 0; round < 12; round += 1) await pass(unsettledRetryMs);
  expect({ files: own.files.size, mended }).toEqual({ files: 1, mended: 0 });
  peers[0].begin = begin;
  for (let round = 0; round < 2; round += 1) {
    await pass(retryRoundMs);
    await pass(unsettledRetryMs);
  }
  expect(mended).toBe(1);
  const { rounds } = task.report();
  await pass(day);
  expect(task.report().rounds).toBe(rounds);
  await task.stop();
});

test("who was away while a loss was mended is compared with when it is back, once", async () => {
  const away = new Set(["10.0.0.3"]);
  const { task, own, peers, pass } = stage({
    intervalMs: 0,
    peers: () => peersOf().filter(({ id }) => !away.has(id)),
    absent: () => [...away].map(StorageId),
  });
  const peersOf = () =>
    peers.map((peer) => ({ id: StorageId(peer.title), files: peer, side: () => peer }));
  peers[1].put(name, file);
  let mended = 0;
  task.mend("power-cut", () => {
    mended += 1;
  });
  await pass(0);
  await pass(unsettledRetryMs);
  task.look();
  await pass(0);
  expect({ files: own.files.size, mended }).toEqual({ files: 0, mended: 1 });
  away.clear();
  for (let second = 0; second < 3; second += 1) {
    task.look();
    await pass(0);
  }
  expect(own.files.size).toBe(1);
  for (let round = 0; round < 5; round += 1) await pass(unsettledRetryMs);
  const { rounds } = task.report();
  task.look();
  await pass(day);
  expect(task.report().rounds).toBe(rounds);
  await task.stop();
});

test("after a loss a peer that was away for a moment is compared with soon, and who mends hears with whom", async () => {
  const { task, peers, pass } = stage({ intervalMs: 0 });
  const { begin } = peers[0];
  peers[0].begin = () => Promise.reject(new Error("no route"));
  const mended: (readonly string[])[] = [];
  task.mend("recovered", (compared) => mended.push(compared));
  await pass(0);
  peers[0].begin = begin;
  await pass(unsettledRetryMs);
  await pass(unsettledRetryMs);
  expect(mended).toEqual([["10.0.0.1", "10.0.0.3"]]);
  await task.stop();
});

test("a loss that is told during the last round is not mended by it", async () => {
  const { task, pass } = stage({ intervalMs: 0 });
  const mended: string[] = [];
  task.mend("power-cut", () => mended.push("first"));
  await pass(0);
  task.request("power-cut");
  task.mend("binlog-lost", () => mended.push("second"));
  await pass(0);
  const { rounds } = task.report();
  expect(mended).toEqual(rounds < 3 ? [] : ["first"]);
  await pass(unsettledRetryMs);
  await pass(unsettledRetryMs);
  expect(mended).toEqual(["first", "second"]);
  await task.stop();
});

test("after a loss own files are compared whatever their time is, else those that both sides hold", async () => {
  const word = sourceWordInName(name.slice(10)) ?? 0;
  const { task, own, peers, pass } = stage({ ownSources: () => [word] });
  for (const { horizons } of [own, ...peers]) (horizons as Map<number, number>).set(word, 1);
  peers[1].put(name, file);
  task.request("asked");
  await pass(0);
  expect([task.report().found, own.files.size]).toEqual([0, 0]);
  task.request("recovered");
  await pass(0);
  expect([task.report().found, own.files.size]).toEqual([1, 1]);
  await task.stop();
});

test("a scheduled round leaves out disks that sleep until they are awake, then the next one is of all", async () => {
  const asleep = new Set([1]);
  const read: number[] = [];
  const { task, pass } = stage({
    storePaths: () => [0, 1],
    mayRead: (index) => {
      if (!asleep.has(index)) read.push(index);
      return !asleep.has(index);
    },
  });
  task.start();
  await pass(firstRoundMs);
  expect([read.splice(0), task.report().rounds]).toEqual([[0], 1]);
  await pass(restingRetryMs);
  await pass(restingRetryMs);
  expect([read, task.report().rounds]).toEqual([[], 1]);
  asleep.clear();
  await pass(restingRetryMs);
  expect([read.splice(0), task.report().rounds]).toEqual([[1], 2]);
  await pass(day);
  expect(read).toEqual([0, 1]);
  await task.stop();
});

test("who asks for a round wakes what sleeps", async () => {
  const { task, own, peers, pass } = stage({ intervalMs: 0, mayRead: () => false });
  peers[0].put(name, file);
  task.start();
  task.request("asked");
  await pass(0);
  expect(own.files.size).toBe(1);
  await task.stop();
});

test("a peer whose disk sleeps is not woken: it alone is asked again until it is awake, or for a day", async () => {
  const { task, peers, pass, sleepers } = sleepyStage();
  const [sleepy, other] = peers;
  sleepy.put(name, file);
  task.start();
  await pass(firstRoundMs);
  expect([sleepy.walks, other.walks, task.report().rounds]).toEqual([0, 1, 1]);
  await pass(restingRetryMs);
  await pass(restingRetryMs);
  expect([sleepy.walks, other.walks, task.report().rounds]).toEqual([0, 1, 1]);
  sleepers.clear();
  await pass(restingRetryMs);
  expect([sleepy.walks, other.walks]).toEqual([1, 1]);
  expect(task.report()).toMatchObject({ rounds: 2, repaired: 1 });
  await task.stop();
});

test("a disk that sleeps for a day is woken", async () => {
  const { task, own, peers, pass } = sleepyStage();
  const [sleepy] = peers;
  sleepy.put(name, file);
  task.start();
  await pass(firstRoundMs);
  await pass(longestRestMs - restingRetryMs);
  expect(sleepy.walks).toBe(0);
  await pass(restingRetryMs);
  expect([sleepy.walks, own.files.size]).toEqual([1, 1]);
  await task.stop();
});

/** The disk of the first peer sleeps. Both are compared with. */
function sleepyStage() {
  const found = stage({ ownId: () => StorageId("10.0.0.0") });
  const sleepers = new Set<string>(["10.0.0.1"]);
  for (const peer of found.peers) {
    const begin = peer.begin.bind(peer);
    const patiently: InventorySide["begin"] = (horizons, { patient }) =>
      patient && sleepers.has(peer.title) ? Promise.resolve("asleep") : begin(horizons);
    Object.assign(peer, { begin: patiently });
  }
  return { ...found, sleepers };
}
