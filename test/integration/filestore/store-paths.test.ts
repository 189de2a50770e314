/** Store paths that come and go while the others serve, over fake engines. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { LocalFileStore, type LocalFileStoreOptions } from "#filestore/local-file-store.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { type ByteFlow, type ByteSink, flowOfBytes } from "#net/byte-flow.ts";
import { collectedLog, pattern } from "../../support/frame-fixture.ts";
import { type InThreadWorkers, inThreadWorkers } from "../../support/in-thread-workers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";
import { pathSettings } from "../../support/store-fixture.ts";

const anyPath = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;

interface Stage {
  readonly store: LocalFileStore;
  readonly workers: InThreadWorkers;
  readonly clock: ManualClock;
  readonly added: [number, boolean][];
  readonly changes: () => number;
}

async function stage(
  paths: readonly StorePathSettings[],
  options: Partial<LocalFileStoreOptions> = {},
): Promise<Stage> {
  const workers = inThreadWorkers(true);
  const clock = new ManualClock();
  const store = new LocalFileStore({
    ...{ paths, workers, clock, log: collectedLog().log },
    reserved: () => ({ kind: "bytes", bytes: 1024 ** 3 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
    ...options,
  });
  await store.start();
  const added: [number, boolean][] = [];
  let changes = 0;
  store.onPathAdded = (index, isOther) => added.push([index, isOther]);
  store.onPathChange = () => {
    changes += 1;
  };
  return { store, workers, clock, added, changes: () => changes };
}

const states = (store: LocalFileStore) =>
  store.paths.map(({ index, state }) => `${index} ${state}`);
const upload = (store: LocalFileStore) => store.upload(anyPath, flowOfBytes(pattern(10)));
const placeOf = (workers: InThreadWorkers) =>
  workers.started.map(({ engine }) => engine.files.size);

test("a path that is added takes new files at once, knows where names come from, and is told of", async () => {
  const { store, workers, added, changes } = await stage([pathSettings(0)]);
  store.setSource({ kind: "address", address: "10.0.0.1" });
  await store.addPath(pathSettings(1));
  for (let file = 0; file < 4; file += 1) await upload(store);
  expect(placeOf(workers)).toEqual([2, 2]);
  expect(states(store)).toEqual(["0 online", "1 online"]);
  expect(workers.started[1]?.engine.source).toEqual({ kind: "address", address: "10.0.0.1" });
  expect(added).toEqual([[1, false]]);
  expect(changes()).toBeGreaterThan(0);
  expect(store.inventories.served).toEqual([0, 1]);
});

test("an index may leave others out: they have no disk, say so, and get one later", async () => {
  const { store, workers } = await stage([pathSettings(0)]);
  await store.addPath(pathSettings(3));
  expect(states(store)).toEqual(["0 online", "1 offline", "2 offline", "3 online"]);
  expect(store.paths[1]?.problem).toContain("no disk of this node carries it");
  await expect(store.facts("M01/00/00/aaaaaaaaa", { computeCrc: false })).rejects.toMatchObject({
    code: "store-path-unready",
  });
  for (let file = 0; file < 4; file += 1) await upload(store);
  expect(placeOf(workers)).toEqual([2, 2]);
  await store.addPath(pathSettings(1));
  expect(states(store)).toEqual(["0 online", "1 online", "2 offline", "3 online"]);
});

test("a store without any path starts, refuses uploads with what to do, and serves from its first path on", async () => {
  const { store } = await stage([]);
  await expect(upload(store)).rejects.toMatchObject({
    code: "store-path-unready",
    message: expect.stringContaining("no disk yet"),
  });
  await store.addPath(pathSettings(0));
  await upload(store);
  expect(states(store)).toEqual(["0 online"]);
});

test("a path that is taken away is offline in words, its worker has ended, and it is taken back", async () => {
  const { store, workers, added } = await stage([pathSettings(0), pathSettings(1)]);
  await store.takePath(1, "its disk was ejected");
  expect(workers.started[1]?.engine.closed).toBe(true);
  const away = { state: "offline", problem: "its disk was ejected", isAbsent: true };
  expect(store.paths[1]).toMatchObject(away);
  await expect(store.remove("M01/00/00/aaaaaaaaa")).rejects.toMatchObject({
    code: "store-path-unready",
    message: expect.stringContaining("its disk was ejected"),
  });
  await upload(store);
  await upload(store);
  expect(placeOf(workers)).toEqual([2, 0]);
  await store.addPath({ ...pathSettings(1), directory: "/elsewhere" });
  await upload(store);
  await upload(store);
  expect(placeOf(workers)).toEqual([3, 0, 1]);
  expect(store.paths[1]).toMatchObject({ state: "online", directory: "/elsewhere" });
  expect(added).toEqual([[1, false]]);
  await store.takePath(7, "there is none");
});

test("a path whose disk was pulled, and takes no last flush, is let go of all the same", async () => {
  const { store, workers } = await stage([pathSettings(0), pathSettings(1)]);
  const [, pulled] = workers.started;
  if (pulled !== undefined) pulled.engine.closeFailure = new AppError("disk-failed", "EROFS");
  await store.takePath(1, "its disk is not there");
  expect(store.paths[1]).toMatchObject({ state: "offline", problem: "its disk is not there" });
  await store.addPath(pathSettings(1));
  expect(states(store)).toEqual(["0 online", "1 online"]);
});

test("an index that is served is not given to another disk", async () => {
  const { store, workers } = await stage([pathSettings(0)]);
  await expect(store.addPath(pathSettings(0, "/other"))).rejects.toMatchObject({
    code: "store-path-busy",
    message: "store path 0 is served already, from /nowhere/0",
  });
  await expect(store.addPath(pathSettings(256))).rejects.toThrow("256 store paths at most");
  const both = await Promise.allSettled([
    store.addPath(pathSettings(1)),
    store.addPath(pathSettings(1)),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(workers.started.length).toBe(2);
});

test("a path that cannot be opened changes nothing", async () => {
  const workers = inThreadWorkers(true);
  const { store, added } = await stage([pathSettings(0)], {
    workers: {
      ...workers,
      start: (entry, data) => {
        const worker = workers.start(entry, data);
        const { settings } = data as { settings: StorePathSettings };
        if (settings.index > 0) queueMicrotask(() => workers.started.at(-1)?.die(new Error("no")));
        return worker;
      },
    },
  });
  await expect(store.addPath({ ...pathSettings(2), directory: "/bad" })).rejects.toThrow();
  expect(states(store)).toEqual(["0 online"]);
  expect(added).toEqual([]);
});

test("a disk that hangs does not keep its path in service, and is told of after a while", async () => {
  const { store, workers, clock } = await stage([pathSettings(0), pathSettings(1)]);
  const worker = workers.started[1];
  if (worker !== undefined) worker.automatic = false;
  const taken = store.takePath(1, "its disk is gone");
  expect(store.paths[1]?.state).toBe("offline");
  let ended = false;
  const told = expect(
    taken.finally(() => {
      ended = true;
    }),
  ).rejects.toMatchObject({ code: "store-path-busy" });
  await turns(5);
  expect(ended).toBe(false);
  for (let second = 0; second < 31; second += 1) {
    clock.advance(1000);
    await turns(2);
  }
  await told;
  await upload(store);
  expect(placeOf(workers)).toEqual([1, 0]);
});

test("changes and uploads wait for a path that is away for a moment, reads are refused, and its room is told as before", async () => {
  const { store, clock, workers } = await stage([pathSettings(0)]);
  const names = [await upload(store), await upload(store), await upload(store)];
  const [name = "", other = ""] = names;
  const before = store.paths[0];
  const going = store.takePathBriefly(0, "switched");
  await turns(4);
  await going;
  const slow = [upload(store), store.remove(name)];
  const link = store.link({ source: other, extension: "bin", slaveOf: undefined });
  await expect(store.facts(other, { computeCrc: false })).rejects.toMatchObject({
    code: "store-path-unready",
  });
  expect(store.paths[0]).toMatchObject({
    ...{ state: "offline", isAbsent: true, isBrief: true },
    ...{ totalBytes: before?.totalBytes, freeBytes: before?.freeBytes },
  });
  const back = store.addPath(pathSettings(0));
  await back;
  // The fake engine begins anew: what it does not have is its own answer, and no refusal.
  const ends = await Promise.allSettled([...slow, link]);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(ends[1]).toMatchObject({ reason: { code: "file-missing" } });
  expect(workers.started).toHaveLength(2);
  // Nobody waits for what does not come back by itself, or not for ever.
  await store.takePathBriefly(0, "switched");
  const late = store.remove(name);
  const refused = expect(late).rejects.toMatchObject({ code: "store-path-unready" });
  clock.advance(10_001);
  await refused;
  await store.takePath(0, "pulled");
  await expect(store.remove(name)).rejects.toMatchObject({ code: "store-path-unready" });
  await store.close();
});

test("a path goes for a moment when payloads have ended, or cuts off those that do not", async () => {
  const { store, clock } = await stage([pathSettings(0)]);
  const sinks: ByteSink[] = [];
  const ends: (() => void)[] = [];
  const slowly = (): ByteFlow => ({
    ...{ length: 20, destroy: () => {}, resume: () => {} },
    drainTo: (sink) => {
      sinks.push(sink);
      sink.write(pattern(10));
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  const first = store.upload(anyPath, slowly());
  let isGone = false;
  const going = store.takePathBriefly(0, "switched").then(() => {
    isGone = true;
  });
  await turns(20);
  expect([isGone, store.paths[0]?.state]).toEqual([false, "online"]);
  sinks[0]?.write(pattern(10));
  ends[0]?.();
  await first;
  for (let look = 0; look < 4; look += 1) {
    clock.advance(10);
    await turns(20);
  }
  await going;
  expect(isGone).toBe(true);
  await store.addPath(pathSettings(0));
  const cut = expect(store.upload(anyPath, slowly())).rejects.toMatchObject({
    code: "store-path-unready",
  });
  const again = store.takePathBriefly(0, "switched");
  for (let look = 0; look < 400; look += 1) {
    clock.advance(50);
    await turns(2);
  }
  await again;
  sinks[1]?.write(pattern(10));
  ends[1]?.();
  await cut;
  await store.close();
});

test("paths that are closed take files after all where they are the last resort", async () => {
  const { store, workers } = await stage([pathSettings(0), pathSettings(1)]);
  const why = new Map([[0, "it is moved"]]);
  store.closeForNew(why, new Set([0]));
  await upload(store);
  expect(placeOf(workers)).toEqual([0, 1]);
  store.closeForNew(new Map([...why, [1, "it is drained"]]), new Set([0]));
  await upload(store);
  expect(placeOf(workers)).toEqual([1, 1]);
  expect(store.paths.map(({ takesNoFiles }) => takesNoFiles)).toEqual([undefined, "it is drained"]);
  store.closeForNew(new Map([...why, [1, "it is drained"]]), new Set());
  await expect(upload(store)).rejects.toMatchObject({ code: "store-full" });
  await store.close();
});
