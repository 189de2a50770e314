import { expect, test } from "vitest";
import { setTrunkServer } from "#protocol/fastdfs/tracker-admin.ts";
import { defaultTrackerSettings } from "#tracker/tracker-settings.ts";
import { FakeTrunkStorage } from "../../support/fake-trunk-storage.ts";
import { beat, eventually, refusal, TrackerHarness } from "../../support/tracker-harness.ts";

const settings = { trunk: { ...defaultTrackerSettings.trunk, enabled: true } };

test("asked for a trunk server, the leader elects the one with the longest binlog and has it forget its readers", async () => {
  await using harness = await TrackerHarness.start({ settings });
  const { storage: first, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  const { storage: second } = await FakeTrunkStorage.start("127.0.0.3", port);
  await using stack = new AsyncDisposableStack();
  stack.use(first);
  stack.use(second);
  second.binlogSize = 500;
  const reporter = await harness.active("127.0.0.2", { port });
  await harness.active("127.0.0.3", { port });
  await beat(reporter);
  const client = await harness.client();
  const ask = (): Promise<{ readonly id: string }> =>
    client.call(setTrunkServer, { group: "group1", id: undefined });
  expect(await ask()).toEqual({ id: "127.0.0.3" });
  expect(await ask()).toEqual({ id: "127.0.0.3" });
  expect([first.marksDeleted, second.marksDeleted]).toEqual([0, 1]);
  expect((await beat(reporter)).trunkServer).toMatchObject({ id: "127.0.0.3" });
});

test("a trunk server can be named, if it is active and can be reached", async () => {
  await using harness = await TrackerHarness.start({ settings });
  const { storage, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(storage);
  const client = await harness.client();
  const name = (id: string): Promise<number> =>
    refusal(client.call(setTrunkServer, { group: "group1", id }));
  await harness.joined("127.0.0.4", { port });
  await harness.active("127.0.0.3", { port });
  await harness.active("127.0.0.2", { port });
  expect([
    await name("x"),
    await name("127.0.0.4"),
    await name("127.0.0.3"),
    await name("127.0.0.2"),
    await name("127.0.0.2"),
    await name("127.0.0.3"),
  ]).toEqual([2, 64, 111, 0, 114, 17]);
});

test("where nobody answers there is no trunk server, and the tracker says so", async () => {
  await using harness = await TrackerHarness.start({ settings });
  await harness.active("127.0.0.2", { port: 1 });
  const client = await harness.client();
  expect(await refusal(client.call(setTrunkServer, { group: "group1", id: undefined }))).toBe(2);
});

test("the leader elects by itself where a trunk server is missing, and keeps it across a restart", async () => {
  const quick = { ...settings, checkActiveIntervalMs: 10_000 };
  await using harness = await TrackerHarness.start({ settings: quick });
  const { storage, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(storage);
  await harness.active("127.0.0.2", { port });
  const isElected = (): boolean =>
    harness.tracker.snapshot().groups[0]?.storages[0]?.isTrunkServer === true;
  await eventually(isElected, 4000);
  await harness.stop();
  await using again = await TrackerHarness.start({ settings, database: harness.database });
  expect(again.tracker.snapshot().groups[0]?.storages[0]?.isTrunkServer).toBe(true);
});
