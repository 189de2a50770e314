/** The store over two or three paths with fake engines: where things go, and what happens when a path does not serve. */
import { expect, test } from "vitest";
import { LocalFileStore, type LocalFileStoreOptions } from "#filestore/local-file-store.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import type { Workers, WorkerThread } from "#platform/workers.ts";
import { collectedLog, pattern } from "../../support/frame-fixture.ts";
import {
  type InThreadWorker,
  type InThreadWorkers,
  inThreadWorkers,
} from "../../support/in-thread-workers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";
import { FedFlow, pathSettings } from "../../support/store-fixture.ts";

const anyPath = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;

interface Stage {
  readonly store: LocalFileStore;
  readonly workers: InThreadWorkers;
  readonly clock: ManualClock;
  readonly events: () => string[];
}

async function stage(
  paths: readonly StorePathSettings[],
  changes: Partial<LocalFileStoreOptions> = {},
): Promise<Stage> {
  const workers = inThreadWorkers(true);
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const store = new LocalFileStore({
    paths,
    workers,
    clock,
    log,
    reserved: () => ({ kind: "bytes", bytes: 1024 ** 3 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
    ...changes,
  });
  await store.start();
  return { store, workers, clock, events: () => records.map((record) => record.event) };
}

/** Names of a fake engine do not tell their path; these tests look where the content is. */
function placeOf(workers: InThreadWorkers): number[] {
  return workers.started.map((worker) => worker.engine.files.size);
}

test("files are spread over the paths in turn, a chosen path is kept, a read-only one passed over", async () => {
  const paths = [pathSettings(0), { ...pathSettings(1), readOnly: true }, pathSettings(2)];
  const { store, workers } = await stage(paths);
  for (let file = 0; file < 4; file += 1) await store.upload(anyPath, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([2, 0, 2]);
  await store.upload({ ...anyPath, storePathIndex: 2 }, flowOfBytes(pattern(10)));
  await store.upload({ ...anyPath, storePathIndex: 1 }, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([3, 0, 3]);
  const nowhere = store.upload({ ...anyPath, storePathIndex: 3 }, flowOfBytes(pattern(10)));
  await expect(nowhere).rejects.toMatchObject({ code: "file-invalid" });
  await store.close();
});

test("free space is measured again and again, and what is stored meanwhile is subtracted", async () => {
  const { store, workers, clock } = await stage([pathSettings(0)]);
  const engine = workers.started[0]?.engine;
  await store.upload(anyPath, flowOfBytes(pattern(5000)));
  expect(store.paths[0]?.freeBytes).toBe(9e11 - 5000);
  if (engine !== undefined) engine.freeBytes = 1024 ** 3;
  clock.advance(1000);
  await turns();
  expect(store.paths[0]?.freeBytes).toBe(1024 ** 3);
  const refused = store.upload(anyPath, flowOfBytes(pattern(10)));
  await expect(refused).rejects.toMatchObject({ code: "store-full" });
  await store.close();
});

test("what is stored is read, described, changed and removed by its name", async () => {
  const { store } = await stage([pathSettings(0)]);
  const name = await store.upload({ ...anyPath, kind: "appender" }, flowOfBytes(pattern(100)));
  await store.append(name, flowOfBytes(pattern(50)));
  await store.modify(name, 0, flowOfBytes(Buffer.from("xy")));
  await store.truncate(name, 120);
  const opened = await store.open(name, { offset: 0, length: 0 });
  const expected = Buffer.concat([pattern(100), pattern(50)]).subarray(0, 120);
  expected.write("xy");
  expect(await collect(flowOfSource(opened.body))).toEqual(expected);
  expect(await store.facts(name, { computeCrc: false })).toMatchObject({ sizeBytes: 120 });
  for (const size of [5, 20_000, 200_000]) {
    await store.writeMetadata(name, "overwrite", pattern(size));
    expect(Buffer.from(await store.readMetadata(name))).toEqual(pattern(size));
  }
  const slave = await store.uploadSlave(
    { master: name, prefix: "_s", extension: "jpg" },
    flowOfBytes(pattern(5)),
  );
  expect(slave).not.toBe(name);
  const renamed = await store.regenerate(name);
  await store.remove(renamed);
  await expect(store.remove(renamed)).rejects.toMatchObject({ code: "file-missing" });
  await store.close();
});

test("a size that a name says is not believed: the file itself is read, all of it", async () => {
  const { store } = await stage([pathSettings(0)]);
  const name = await store.upload(anyPath, flowOfBytes(pattern(5000)));
  for (const sizeInName of [undefined, 0, 1, 4999, 5000, 5001, 16_384, 2 ** 40]) {
    for (const [offset, length] of [
      ...[
        [0, 0],
        [0, 5000],
        [0, 4999],
        [0, 9000],
        [1, 0],
        [10, 20],
      ],
    ] as const) {
      const { sizeBytes, body } = await store.open(name, { offset, length }, { sizeInName });
      const end = length === 0 ? 5000 : Math.min(5000, offset + length);
      expect(await collect(flowOfSource(body))).toEqual(pattern(5000).subarray(offset, end));
      expect(sizeBytes).toBe(5000);
      body.close();
    }
  }
  await store.close();
});

test("ranges are clipped, and one past the end is refused unless empty is fine", async () => {
  const { store } = await stage([pathSettings(0)]);
  const name = await store.upload(anyPath, flowOfBytes(pattern(600_000)));
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const { body } = await store.open(name, { offset, length });
    const bytes = await collect(flowOfSource(body));
    body.close();
    return bytes;
  };
  expect(await read(10, 20)).toEqual(pattern(600_000).subarray(10, 30));
  expect(await read(300_000, 0)).toEqual(pattern(600_000).subarray(300_000));
  expect(await read(599_990, 100)).toEqual(pattern(600_000).subarray(599_990));
  const past = { offset: 600_000, length: 1 };
  await expect(store.open(name, past)).rejects.toMatchObject({ code: "file-invalid" });
  expect((await store.open(name, past, { emptyIsFine: true })).body.length).toBe(0);
  await store.close();
});

test("names that lead nowhere are refused", async () => {
  const { store } = await stage([pathSettings(0)]);
  for (const name of ["", "M01/00/00/abcdefg", "M00/00/../../../etc/passwd", "M00/00/00/a\0b"]) {
    await expect(store.remove(name)).rejects.toMatchObject({ code: "file-invalid" });
  }
  await store.close();
});

/**
 * Each waiting append used to keep up to four blocks while the one that had the name waited for its next: with 16 of them
 * nothing went on any more.
 */
test("any number of appends to one file end, and in the order in which they came", async () => {
  const { store, workers } = await stage([pathSettings(0)]);
  const name = await store.upload({ ...anyPath, kind: "appender" }, flowOfBytes(pattern(0)));
  const size = 700_000;
  const flows = Array.from({ length: 40 }, () => new FedFlow(size));
  const appended = flows.map((flow) => store.append(name, flow));
  const metadata = store.writeMetadata(name, "overwrite", Buffer.from("a\x02b"));
  for (const [index, flow] of flows.entries()) {
    await turns(5);
    for (let at = 0; at < size; at += 100_000) {
      flow.feed(pattern(size, index + 1).subarray(at, at + 100_000));
      while (!flow.open) await turns(1);
    }
    flow.end();
  }
  await Promise.all([...appended, metadata]);
  const content = workers.started[0]?.engine.files.get(name)?.content;
  const expected = Buffer.concat(flows.map((_, index) => pattern(size, index + 1)));
  expect(content?.equals(expected)).toBe(true);
  await store.close();
}, 20_000);

test("a change that fails lets the next of its name go on", async () => {
  const { store } = await stage([pathSettings(0)]);
  const name = await store.upload({ ...anyPath, kind: "appender" }, flowOfBytes(pattern(0)));
  const broken = new FedFlow(100);
  const first = store.append(name, broken);
  const second = store.append(name, flowOfBytes(Buffer.from("kept")));
  broken.fail(new Error("the peer left"));
  await expect(first).rejects.toThrow("the peer left");
  await second;
  expect(await store.facts(name, { computeCrc: false })).toMatchObject({ sizeBytes: 4 });
  await store.close();
});

test("a path whose worker dies goes offline, and the others go on", async () => {
  const { store, workers } = await stage([pathSettings(0), pathSettings(1)]);
  let changes = 0;
  store.onPathChange = () => {
    changes += 1;
  };
  workers.started[0]?.die(new Error("bus error"));
  await turns();
  expect(store.paths.map((path) => path.state)).toEqual(["offline", "online"]);
  expect(changes).toBe(1);
  await expect(store.remove("M00/00/00/somefile")).rejects.toMatchObject({
    code: "store-path-offline",
  });
  for (let file = 0; file < 3; file += 1) await store.upload(anyPath, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([0, 3]);
  await store.close();
});

test("after the close nothing is taken any more", async () => {
  const { store } = await stage([pathSettings(0)]);
  await store.close();
  const late = store.upload(anyPath, flowOfBytes(pattern(10)));
  await expect(late).rejects.toMatchObject({ code: "store-closing" });
});

test("closing waits for a worker that hangs, and for no longer; the others end at once", async () => {
  const { store, workers } = await stage([pathSettings(0), pathSettings(1)]);
  const hanging = workers.started[0];
  if (hanging !== undefined) hanging.automatic = false;
  let closed = false;
  const closing = store.close().then(() => {
    closed = true;
  });
  await turns(20);
  expect([closed, store.paths.map(({ state }) => state)]).toEqual([false, ["online", "offline"]]);
  if (hanging !== undefined) hanging.automatic = true;
  await closing;
  expect(workers.started.map(({ engine }) => engine.closed)).toEqual([true, true]);
});

/** Lets so much time pass, with all that happens meanwhile. */
async function seconds(clock: ManualClock, count: number): Promise<void> {
  for (let step = 0; step < count * 4; step += 1) {
    clock.advance(250);
    await turns(3);
  }
}

function statesOf(store: LocalFileStore): string[] {
  return store.paths.map(({ state }) => state);
}

test("a disk that stands still for seconds is passed over until it has answered promptly for some", async () => {
  const { store, workers, clock } = await stage([pathSettings(0), pathSettings(1)]);
  const hanging = workers.started[0] as InThreadWorker;
  hanging.automatic = false;
  await seconds(clock, 2);
  expect(statesOf(store)).toEqual(["online", "online"]);
  await seconds(clock, 3);
  expect(statesOf(store)).toEqual(["slow", "online"]);
  for (let file = 0; file < 3; file += 1) await store.upload(anyPath, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([0, 3]);
  hanging.automatic = true;
  await seconds(clock, 3);
  expect(statesOf(store)).toEqual(["slow", "online"]);
  await seconds(clock, 9);
  expect(statesOf(store)).toEqual(["online", "online"]);
  for (let file = 0; file < 2; file += 1) await store.upload(anyPath, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([1, 4]);
  await store.close();
});

test("at the deadline a hanging path is quarantined: who waits is told, the rest goes elsewhere, and it is taken back after a check", async () => {
  const { store, workers, clock, events } = await stage([pathSettings(0), pathSettings(1)]);
  const hanging = workers.started[0] as InThreadWorker;
  hanging.engine.files.set("M00/00/00/some", { content: pattern(10), metadata: undefined });
  hanging.automatic = false;
  const onFirst = { ...anyPath, storePathIndex: 0 };
  const waiting = [
    store.upload(onFirst, flowOfBytes(pattern(10))),
    store.upload(onFirst, flowOfBytes(pattern(3_000_000))),
    store.facts("M00/00/00/some", { computeCrc: false }),
    store.open("M00/00/00/some", { offset: 0, length: 0 }),
    store.remove("M00/00/00/some"),
  ].map((each) => expect(each).rejects.toMatchObject({ code: "store-path-offline" }));
  await seconds(clock, 22);
  await Promise.all(waiting);
  expect(statesOf(store)).toEqual(["quarantined", "online"]);
  // Nothing waits from now on.
  const refused = { code: "store-path-unready" };
  const read = store.open("M00/00/00/some", { offset: 0, length: 0 });
  await expect(read).rejects.toMatchObject(refused);
  await expect(store.remove("M00/00/00/some")).rejects.toMatchObject(refused);
  const late = store.append("M00/00/00/some", flowOfBytes(pattern(10)));
  await expect(late).rejects.toMatchObject(refused);
  for (let file = 0; file < 3; file += 1) await store.upload(onFirst, flowOfBytes(pattern(10)));
  expect(placeOf(workers)).toEqual([1, 3]);
  hanging.automatic = true;
  await seconds(clock, 3);
  expect(statesOf(store)).toEqual(["online", "online"]);
  expect(events()).toEqual([
    "store-path-slow",
    "store-path-quarantined",
    "store-path-checking",
    "store-path-back",
  ]);
  // What had been given up was not done, and left nothing.
  expect([placeOf(workers), hanging.engine.openWrites, hanging.engine.openReads]).toEqual([
    [1, 3],
    0,
    0,
  ]);
  await store.close();
});

test("with the only path in quarantine uploads are refused as something to be asked again, not as a full disk", async () => {
  const { store, workers, clock } = await stage([pathSettings(0)]);
  const hanging = workers.started[0] as InThreadWorker;
  hanging.automatic = false;
  await seconds(clock, 22);
  expect(statesOf(store)).toEqual(["quarantined"]);
  const upload = store.upload(anyPath, flowOfBytes(pattern(10)));
  await expect(upload).rejects.toMatchObject({ code: "store-path-unready" });
  expect(store.paths[0]).toMatchObject({ quarantines: 1, problem: expect.stringMatching(/disk/) });
  hanging.automatic = true;
  await seconds(clock, 3);
  await store.upload(anyPath, flowOfBytes(pattern(10)));
  await store.close();
});

test("a path whose worker crashes is started again, a few times", async () => {
  const { store, workers, clock } = await stage([pathSettings(0), pathSettings(1)]);
  const pending = store.upload({ ...anyPath, storePathIndex: 0 }, flowOfBytes(pattern(10)));
  const lost = expect(pending).rejects.toMatchObject({ code: "store-path-offline" });
  workers.started[0]?.die(new Error("a bug"));
  await lost;
  expect(statesOf(store)).toEqual(["offline", "online"]);
  await seconds(clock, 6);
  expect(statesOf(store)).toEqual(["online", "online"]);
  expect(workers.started).toHaveLength(3);
  await store.upload({ ...anyPath, storePathIndex: 0 }, flowOfBytes(pattern(10)));
  expect(workers.started[2]?.engine.files.size).toBe(1);
  for (let round = 0; round < 8; round += 1) {
    workers.started.at(-1)?.die(new Error("a bug"));
    await seconds(clock, 200);
  }
  expect(workers.started).toHaveLength(8);
  expect(store.paths[0]).toMatchObject({
    state: "offline",
    problem: expect.stringMatching(/a bug/),
  });
  await store.close();
});

test("a start with the only disk hanging ends, and the path joins when it answers", async () => {
  const workers = inThreadWorkers(true);
  let answer = (): void => {};
  const hanging: Workers = {
    afterTurn: workers.afterTurn,
    start: (entry, data) => {
      const worker = workers.start(entry, data);
      const late: WorkerThread = { onMessage: () => {}, onExit: () => {} };
      worker.onMessage = (message) => {
        answer = () => late.onMessage(message);
      };
      worker.onExit = (error) => late.onExit(error);
      return late;
    },
  };
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const store = new LocalFileStore({
    paths: [pathSettings(0)],
    workers: hanging,
    clock,
    log,
    reserved: () => ({ kind: "bytes", bytes: 1024 ** 3 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  const starting = store.start();
  await turns(5);
  clock.advance(10_000);
  await starting;
  expect(records.map(({ event }) => event)).toEqual(["store-path-opens-slowly"]);
  const upload = store.upload(anyPath, flowOfBytes(pattern(10)));
  await expect(upload).rejects.toMatchObject({ code: "store-path-unready" });
  expect(store.paths[0]).toMatchObject({ state: "opening", problem: expect.any(String) });
  answer();
  await turns(5);
  await store.upload(anyPath, flowOfBytes(pattern(10)));
  await store.close();
});

test("a path that opens slowly is not waited for once another one serves, and joins later", async () => {
  const workers = inThreadWorkers(true);
  const held: (() => void)[] = [];
  const slow: Workers = {
    afterTurn: workers.afterTurn,
    start: (entry, data) => {
      const worker = workers.start(entry, data);
      if (workers.started.length > 1) return worker;
      const late: WorkerThread = { onMessage: () => {}, onExit: () => {} };
      worker.onMessage = (message) => held.push(() => late.onMessage(message));
      worker.onExit = (error) => late.onExit(error);
      return late;
    },
  };
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const store = new LocalFileStore({
    paths: [pathSettings(0), pathSettings(1)],
    workers: slow,
    clock,
    log,
    reserved: () => ({ kind: "bytes", bytes: 1024 ** 3 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  let started = false;
  const starting = store.start().then(() => {
    started = true;
  });
  clock.advance(9_999);
  await turns(20);
  expect(started).toBe(false);
  clock.advance(1);
  await starting;
  expect(records.map(({ event }) => event)).toEqual(["store-path-opens-slowly"]);
  expect(store.paths.map(({ state }) => state)).toEqual(["opening", "online"]);
  store.setSource({ kind: "address", address: "10.0.0.9" });
  for (const release of held) release();
  await turns(20);
  expect(store.paths.map(({ state, freeBytes }) => [state, freeBytes > 0])).toEqual([
    ["online", true],
    ["online", true],
  ]);
  expect(workers.started.map(({ engine }) => engine.source)).toEqual(
    Array(2).fill({ kind: "address", address: "10.0.0.9" }),
  );
  await store.close();
});
