/** What is said before a join, against a scripted tracker. */
import { afterEach, expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { fetchIds, type Introduction, introduce } from "#storage/tracker-introduction.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { type ReporterStage, reporterStage, settledFacts } from "../../support/reporter-stage.ts";
import { ScriptedTracker } from "../../support/scripted-tracker.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function connected(): Promise<{ tracker: ScriptedTracker; client: FrameClient }> {
  const tracker = new ScriptedTracker();
  await tracker.start();
  cleanups.push(() => tracker.stop());
  const client = await FrameClient.connect(
    { address: "127.0.0.1", port: tracker.port, timeoutMs: 1000 },
    { network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 5000 },
  );
  cleanups.push(() => client.destroy());
  return { tracker, client };
}

/** A storage without reporters; the test introduces it by hand. */
function member(): ReporterStage {
  const stage = reporterStage([], { facts: settledFacts });
  cleanups.push(stage.stop);
  return stage;
}

function introduced(client: FrameClient, stage: ReporterStage): Promise<Introduction> {
  const { group } = stage;
  return introduce(client, {
    settings: stage.settings,
    log: collectedLog().log,
    group,
    port: () => 23000,
  });
}

test("a tracker calls us by our address, by a short code of it, or by our number", async () => {
  const { tracker, client } = await connected();
  tracker.parameters = [["cairn", "0.1"]];
  const first = await introduced(client, member());
  expect(first).toMatchObject({ ownId: "127.0.0.1", parameters: { cairn: true } });
  tracker.address = "fd00::1";
  expect((await introduced(client, member())).ownId).toMatch(/^.{11}\.$/);
  tracker.parameters = [["use_storage_id", "1"]];
  expect((await introduced(client, member())).ownId).toBe("100001");
  tracker.parameters = [];
  tracker.address = "nowhere";
  expect((await introduced(client, member())).ownId).toBeUndefined();
});

test("a tracker that does not know us, or not the question, is no reason to be new", async () => {
  const { tracker, client } = await connected();
  for (const status of [2, 22]) {
    tracker.refusals.set("getStorageStatus", [status]);
    const stage = member();
    await introduced(client, stage);
    expect(stage.membership.own).toMatchObject({ settled: true, filled: true });
  }
});

test("a tracker that has us as deleted makes us new, and one that may have C storages makes us wait", async () => {
  const { tracker, client } = await connected();
  tracker.record = storageStatus.deleted;
  const [ours, other] = [member(), member()];
  tracker.parameters = [["cairn", "1"]];
  await introduced(client, ours);
  tracker.parameters = [];
  await introduced(client, other);
  for (const { membership } of [ours, other]) {
    expect(membership.own).toMatchObject({ settled: false, status: storageStatus.deleted });
  }
  expect([ours.group.joinPauseMs, other.group.joinPauseMs > 5000]).toEqual([0, true]);
});

test("the table of ids comes page by page", async () => {
  const { tracker, client } = await connected();
  tracker.idsPerPage = 2;
  tracker.ids = ["1", "2", "3", "4", "5"].map((id) => ({
    ...{ id: StorageId(id), group: GroupName("group1"), addresses: [`10.0.0.${id}`] },
    ...{ port: 23000, mode: readWriteMode.both },
  }));
  expect(await fetchIds(client)).toEqual(tracker.ids);
  expect(tracker.countOf("fetchStorageIds")).toBe(3);
});

test("half a mirror joins no tracker that would take both halves for one storage", async () => {
  const { tracker, client } = await connected();
  const stage = member();
  const { group } = stage;
  const introducedHalf = (): Promise<Introduction> =>
    introduce(client, {
      settings: { ...stage.settings, sharesAddress: true },
      log: collectedLog().log,
      group,
      port: () => 23001,
    });
  for (const parameters of [[], [["use_storage_id", "1"]]] as const) {
    tracker.parameters = parameters.map(([name, value]) => [name, value]);
    await expect(introducedHalf()).rejects.toThrow(/halves of a mirror.*23001/);
  }
  tracker.parameters = [
    ["use_storage_id", "1"],
    ["id_type_in_filename", "id"],
  ];
  expect((await introducedHalf()).ownId).toBe("100001");
});
