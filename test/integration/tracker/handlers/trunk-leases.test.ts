import { expect, test } from "vitest";
import type { FrameClient } from "#net/frame-client.ts";
import { deleteStorage, setTrunkServer } from "#protocol/fastdfs/tracker-admin.ts";
import { requestParameters } from "#protocol/fastdfs/tracker-lookups.ts";
import { fetchTrunkFileId } from "#protocol/fastdfs/tracker-reports.ts";
import { leaseTrunkFiles, type PackingMode } from "#protocol/peer/trunk-lease.ts";
import { defaultTrackerSettings } from "#tracker/tracker-settings.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";
import { FakeTrunkStorage } from "../../../support/fake-trunk-storage.ts";
import { soon } from "../../../support/soon.ts";
import { beat, memoryState, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const trunk = { ...defaultTrackerSettings.trunk, enabled: true };
const settings = { trunk };

interface Lease {
  readonly mode: PackingMode;
  readonly first: number;
  readonly count: number;
}

function ask(client: FrameClient, wanted = 0, group = "group1"): Promise<Lease> {
  return client.call(leaseTrunkFiles, { group, wanted });
}

/** A storage of ours at `from`: asks before its first beat. */
async function ours(harness: TrackerHarness, from: string): Promise<FrameClient> {
  const client = await harness.joined(from, { initializing: false, status: 7 });
  await ask(client);
  await beat(client);
  return client;
}

test("a tracker of ours is told by its parameters", async () => {
  await using harness = await TrackerHarness.start();
  const { parameters } = await (await harness.client()).call(requestParameters, undefined);
  expect(parameters.map(([name]) => name)).toContain("cairn");
});

test("two storages get numbers that nobody else gets, across a restart of the tracker too", async () => {
  const database = memoryState();
  const given: number[] = [];
  try {
    for (let run = 0; run < 3; run += 1) {
      await using harness = await TrackerHarness.start({ database });
      const storages = [await ours(harness, "127.0.0.2"), await ours(harness, "127.0.0.3")];
      for (const [at, storage] of [...storages, ...storages].entries()) {
        const { mode, first, count } = await ask(storage, at + 1);
        expect([mode, count]).toEqual(["leased", at + 1]);
        given.push(...Array.from({ length: count }, (_, index) => first + index));
      }
    }
  } finally {
    database.close();
  }
  expect(given).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
});

test("numbers that cannot be saved are not given, and not given later either", async () => {
  const database = memoryState();
  const table = new TrackerTable(database);
  let broken = false;
  const state = {
    load: () => table.load(),
    replace: (...saved: Parameters<TrackerTable["replace"]>): void => table.replace(...saved),
    save: (...changes: Parameters<TrackerTable["save"]>): void => {
      if (broken) throw new Error("the disk is full");
      table.save(...changes);
    },
  };
  try {
    await using harness = await TrackerHarness.start({ database, state });
    const storage = await ours(harness, "127.0.0.2");
    expect(await ask(storage, 2)).toMatchObject({ first: 1, count: 2 });
    broken = true;
    expect(await refusal(ask(storage, 2))).toBe(5);
    broken = false;
    expect(await ask(storage, 2)).toMatchObject({ first: 5, count: 2 });
  } finally {
    database.close();
  }
});

test.each([
  [true, "served"],
  [false, "off"],
] as const)("a C storage that joins ends the leases (trunk files %j: %s), and its deletion brings them back", async (enabled, mode) => {
  await using harness = await TrackerHarness.start({ settings: { trunk: { ...trunk, enabled } } });
  const storage = await ours(harness, "127.0.0.2");
  expect(await ask(storage, 1)).toEqual({ mode: "leased", first: 1, count: 1 });
  const original = await harness.joined("127.0.0.3", { initializing: false, status: 7 });
  expect((await ask(storage)).mode).toBe("leased");
  await beat(original);
  expect(await ask(storage, 1)).toEqual({ mode, first: 0, count: 0 });
  original.destroy();
  await soon(() => harness.statusOf("127.0.0.3")).toBe(5);
  expect((await ask(storage)).mode).toBe(mode);
  const admin = await harness.client();
  await admin.call(deleteStorage, { group: "group1", id: "127.0.0.3" });
  expect(await ask(storage, 1)).toMatchObject({ mode: "leased", count: 1 });
  expect(harness.events()).toContain("packing-mode");
});

test("what a trunk server may have used without telling is passed over when its time is over", async () => {
  await using harness = await TrackerHarness.start({ settings });
  const { storage: fake, port } = await FakeTrunkStorage.start("127.0.0.3", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(fake);
  const original = await harness.active("127.0.0.3", { port });
  const admin = await harness.client();
  await admin.call(setTrunkServer, { group: "group1", id: "127.0.0.3" });
  original.destroy();
  await soon(() => harness.statusOf("127.0.0.3")).toBe(5);
  await admin.call(deleteStorage, { group: "group1", id: "127.0.0.3" });
  const replaced = await harness.joined("127.0.0.2", { port, initializing: false, status: 7 });
  expect(await ask(replaced, 1)).toEqual({ mode: "leased", first: 1001, count: 1 });
  expect(await ask(replaced, 1)).toEqual({ mode: "leased", first: 1002, count: 1 });
  expect(await replaced.call(fetchTrunkFileId, undefined)).toEqual({ fileId: 1002 });
});

test("one of ours that is away when the tracker starts is still one of ours; one that was replaced by C is not", async () => {
  const database = memoryState();
  try {
    {
      await using harness = await TrackerHarness.start({ database, settings });
      await ours(harness, "127.0.0.2");
      await ours(harness, "127.0.0.3");
    }
    await using harness = await TrackerHarness.start({ database, settings });
    const storage = await ours(harness, "127.0.0.2");
    expect((await ask(storage)).mode).toBe("leased");
    await harness.active("127.0.0.3");
    expect((await ask(storage)).mode).toBe("served");
    await ours(harness, "127.0.0.3");
    expect((await ask(storage)).mode).toBe("leased");
  } finally {
    database.close();
  }
});

test("who has not joined, names another group, or asks a follower, gets nothing", async () => {
  await using harness = await TrackerHarness.start();
  expect(await refusal(ask(await harness.client(), 1))).toBe(13);
  const storage = await ours(harness, "127.0.0.2");
  expect(await refusal(ask(storage, 1, "group2"))).toBe(22);
  const trackers = [harness.endpoint, { addresses: ["127.0.0.9"], port: 22122 }];
  const follower = await harness.joined("127.0.0.2", { initializing: false, status: 7, trackers });
  expect(await refusal(ask(follower, 1))).toBe(95);
});
