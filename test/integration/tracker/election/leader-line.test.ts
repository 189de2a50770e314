import { expect, test } from "vitest";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { storageJoin } from "#protocol/fastdfs/tracker-reports.ts";
import { LeaderLine } from "#tracker/election/leader-line.ts";
import { TrackerCalls } from "#tracker/election/tracker-calls.ts";
import { importSystemFiles } from "#tracker/system-files-import.ts";
import { refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const connections = { allocated: 3, current: 2, max: 3 };
const follower = "127.0.0.66";

/** A tracker that leads over another one, which is the test. */
async function stage(): Promise<{
  readonly harness: TrackerHarness;
  readonly line: LeaderLine;
  readonly ping: () => Promise<unknown>;
}> {
  const harness = await TrackerHarness.start();
  const storage = await harness.client("127.0.0.2");
  const trackers = [harness.endpoint, { addresses: [follower], port: 22122 }];
  await storage.call(storageJoin, harness.join({ trackers }));
  const client = await harness.client();
  const leader = { address: "127.0.0.1", port: harness.port };
  await refusal(client.call(trackerCluster.notifyNextLeader, { leader }));
  await refusal(client.call(trackerCluster.commitNextLeader, { leader }));
  const localAddressFor = (): string => follower;
  const calls = new TrackerCalls({ network: new NodeNetwork(), clock: nodeClock, localAddressFor });
  const line = new LeaderLine(calls);
  const { endpoint } = harness;
  const introduction = { upTime: 1, version: "6.16.1", port: 22122 };
  return { harness, line, ping: () => line.ping(endpoint, introduction, connections) };
}

test("a follower introduces itself once, pings, and is told the trunk servers when they changed", async () => {
  const { harness, line, ping } = await stage();
  expect([await ping(), await ping()]).toEqual([[{ group: "group1", trunkServer: undefined }], []]);
  const { followers } = harness.tracker.snapshot().leadership;
  expect(followers).toMatchObject([{ tracker: `${follower}:22122`, isActive: true }]);
  line.hangUp();
  expect(await ping()).toHaveLength(1);
  line.hangUp();
  await harness[Symbol.asyncDispose]();
});

test("the groups are read on every third ping", async () => {
  const { harness, line, ping } = await stage();
  const read: boolean[] = [];
  for (let at = 0; at < 5; at += 1) {
    await ping();
    const text = await line.groupsFile();
    read.push(text !== undefined);
    if (text === undefined) continue;
    const files = { groups: text, storages: "", syncTimes: "", changelog: "", status: "" };
    const { saved } = importSystemFiles(files);
    expect(saved.groups.map(({ name }) => name)).toEqual(["group1"]);
  }
  expect(read).toEqual([true, false, false, true, false]);
  line.hangUp();
  expect(await line.groupsFile()).toBeUndefined();
  await harness[Symbol.asyncDispose]();
});

test("one that does not lead says so; one that is not there is a failure", async () => {
  const { harness, line, ping } = await stage();
  await ping();
  const client = await harness.client();
  const other = { address: follower, port: 22122 };
  await refusal(client.call(trackerCluster.notifyNextLeader, { leader: other }));
  expect(await ping()).toBe("not-leading");
  await harness[Symbol.asyncDispose]();
  await expect(ping()).rejects.toThrowError();
  line.hangUp();
});
