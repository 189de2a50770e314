import { expect, test } from "vitest";
import { reportSync } from "#protocol/fastdfs/tracker-reports.ts";
import { beat, TrackerHarness } from "../../support/tracker-harness.ts";

test("a snapshot shows the cluster as plain data of one moment", async () => {
  await using harness = await TrackerHarness.start();
  const empty = harness.tracker.snapshot();
  expect(empty).toMatchObject({ isLeader: false, trackers: [], groups: [], stateWriteFailures: 0 });
  const storage = await harness.active("127.0.0.2");
  await harness.active("127.0.0.3");
  await storage.call(reportSync, { sources: [{ id: "127.0.0.3", timestamp: 42 }] });
  const snapshot = harness.tracker.snapshot();
  expect(snapshot).toMatchObject({
    isLeader: true,
    trackers: [{ address: "127.0.0.1", port: harness.port }],
    connections: { current: 2, peak: 2 },
    groups: [
      {
        group: "group1",
        writableCount: 2,
        storages: [
          { id: "127.0.0.2", addresses: ["127.0.0.2"], syncTimes: { "127.0.0.3": 42 } },
          { id: "127.0.0.3", addresses: ["127.0.0.3"], syncTimes: {} },
        ],
      },
    ],
  });
  expect(JSON.parse(JSON.stringify(snapshot)).groups).toEqual(
    snapshot.groups.map((group) => ({
      ...group,
      storages: group.storages.map(({ syncSource, ...rest }) => rest),
    })),
  );
  await beat(storage);
  expect(snapshot.commands).not.toEqual(harness.tracker.snapshot().commands);
});
