import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { storageStatus } from "#model/storage-status.ts";
import { storageJoin } from "#protocol/fastdfs/tracker-reports.ts";
import { beat, eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const { init, online, offline, active } = storageStatus;

test("a storage joins, becomes active with its first beat, and offline when its connection ends", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.client("127.0.0.2");
  const reply = await storage.call(
    storageJoin,
    harness.join({ initializing: false, status: active }),
  );
  expect(reply).toEqual({ status: online, syncSource: undefined });
  await beat(storage);
  expect(harness.statusOf("127.0.0.2")).toBe(active);
  storage.destroy();
  await eventually(() => harness.statusOf("127.0.0.2") === offline);
});

test("a new storage starts as INIT and stays so while it beats", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.client("127.0.0.2");
  expect(await storage.call(storageJoin, harness.join())).toEqual({
    status: init,
    syncSource: undefined,
  });
  await beat(storage);
  expect(harness.statusOf("127.0.0.2")).toBe(init);
});

test("joining again on another connection: the end of the first one changes nothing", async () => {
  await using harness = await TrackerHarness.start();
  const first = await harness.active("127.0.0.2");
  await harness.active("127.0.0.2");
  first.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(harness.statusOf("127.0.0.2")).toBe(active);
});

test("what cannot join is refused with the status that FastDFS gives, and leaves no trace", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client("127.0.0.2");
  const join = (given: Parameters<TrackerHarness["join"]>[0]): Promise<number> =>
    refusal(client.call(storageJoin, harness.join(given)));
  const elsewhere = { addresses: ["10.1.2.3"], port: harness.port };
  expect({
    impossibleStatus: await join({ initializing: false, status: -1 }),
    trackerNotInList: await join({
      trackers: [elsewhere, { ...elsewhere, addresses: ["10.1.2.4"] }],
    }),
    manyTrackers: await join({
      trackers: Array.from({ length: 16 }, (_, at) => ({
        addresses: [`10.1.2.${at}`, "10.1.3.3"],
        port: 100 + at,
      })),
    }),
  }).toEqual({ impossibleStatus: 14, trackerNotInList: 2, manyTrackers: 2 });
  expect(harness.tracker.snapshot().groups).toEqual([]);
  expect(await join({})).toBe(0);
});

test("a group keeps its port, path count and subdirectories as long as other storages have them", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const join = async (given: Parameters<TrackerHarness["join"]>[0]): Promise<number> => {
    const client = await harness.client("127.0.0.3");
    const status = await refusal(
      client.call(storageJoin, harness.join({ initializing: false, status: active, ...given })),
    );
    client.destroy();
    return status;
  };
  expect([
    await join({ port: 23001 }),
    await join({ storePathCount: 1 }),
    await join({ subdirCount: 16 }),
    await join({ storePathCount: 3 }),
    await join({ group: GroupName("group2"), port: 23001, subdirCount: 16 }),
  ]).toEqual([22, 22, 22, 0, 0]);
  const [group1] = harness.tracker.snapshot().groups;
  expect(group1).toMatchObject({ storagePort: 23000, storePathCount: 2, subdirCount: 256 });
});
