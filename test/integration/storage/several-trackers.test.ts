/**
 * Goal: a group lives through what its trackers go through. Method: three tracker roles in this process, and reporters of two storages on
 * loopback addresses of their own, without files: who fills whom is said by the test.
 */
import { afterEach, expect, test } from "vitest";
import { present } from "#base/assert.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { reportStatus } from "#protocol/fastdfs/tracker-reports.ts";
import { type ReporterStage, reporterStage, settledFacts } from "../../support/reporter-stage.ts";
import { until } from "../../support/settled.ts";
import { TrackerHarness } from "../../support/tracker-harness.ts";

const { active, offline, syncing, waitSync } = storageStatus;
const cleanups: (() => unknown)[] = [];
const [first, second] = ["127.0.44.2", "127.0.44.3"] as const;

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function trackers(count: number): Promise<TrackerHarness[]> {
  const made: TrackerHarness[] = [];
  while (made.length < count) {
    const harness = await TrackerHarness.start();
    made.push(harness);
    cleanups.push(() => harness[Symbol.asyncDispose]());
  }
  return made;
}

function storage(of: readonly TrackerHarness[], address: string, isNew = false): ReporterStage {
  const facts = isNew ? {} : { facts: settledFacts };
  const more = of.map(({ endpoint }) => endpoint);
  const stage = reporterStage([], { address, more, ...facts });
  cleanups.push(stage.stop);
  return stage;
}

/** Until each of the trackers has the storage so. */
function all(of: readonly TrackerHarness[], id: string, status: StorageStatus): Promise<void> {
  const same = (): boolean => of.every((harness) => harness.statusOf(id) === status);
  return until(same, `${id} has status ${status} everywhere`, 15_000);
}

/** The other storage as `stage` knows it. */
async function heardOf(stage: ReporterStage, id: string): Promise<StorageId> {
  const { directory } = stage.view;
  await until(() => directory.byId(id) !== undefined, "the leader's list names it", 15_000);
  return present(directory.byId(id), "the other one").id;
}

function leaderOf(of: readonly TrackerHarness[]): TrackerHarness | undefined {
  return of.find((harness) => harness.tracker.snapshot().isLeader);
}

test("a new member is filled under three trackers, which all hear of each step; one of them may go", async () => {
  const three = await trackers(3);
  const one = storage(three, first);
  await all(three, first, active);
  await until(() => one.membership.own.status === active, "the first is in service", 15_000);
  const two = storage(three, second, true);
  await until(() => two.membership.own.status === waitSync, "the second waits", 15_000);
  await all(three, second, waitSync);
  const id = await heardOf(one, second);
  expect(await one.group.sourceOf(id)).toMatchObject({ source: first });
  await one.group.reportStatusOf(id, syncing);
  await all(three, second, syncing);
  await until(() => two.membership.own.status === syncing, "the second knows", 15_000);
  await one.group.reportStatusOf(id, offline);
  await all(three, second, active);
  await until(() => two.membership.own.filled, "the second is filled", 15_000);
  const leader = leaderOf(three);
  expect(leader).toBeDefined();
  await leader?.stop();
  const rest = three.filter((harness) => harness !== leader);
  await until(() => leaderOf(rest) !== undefined, "another one leads", 20_000);
  await until(() => one.view.leader?.port === leaderOf(rest)?.port, "it is heard of", 15_000);
  for (const stage of [one, two]) expect(stage.membership.own.status).toBe(active);
  await all(rest, first, active);
  await all(rest, second, active);
}, 90_000);

test("a follower that was away while a member was filled has it in service soon after it is back", async () => {
  const two = await trackers(2);
  const one = storage(two, first);
  await all(two, first, active);
  await until(() => leaderOf(two) !== undefined, "one leads", 20_000);
  const follower = two.find((harness) => harness !== leaderOf(two)) as TrackerHarness;
  const joining = storage(two, second, true);
  await all(two, second, waitSync);
  // The follower misses what the source reports: it hears nothing of the first storage.
  const id = await heardOf(one, second);
  await one.group.reportStatusOf(id, syncing);
  await one.stop();
  const leader = leaderOf(two) as TrackerHarness;
  const source = await leader.client(first);
  await source.call(reportStatus, {
    group: "group1",
    storage: { status: offline, port: 23000, id, address: second },
  });
  await until(() => joining.membership.own.filled, "the leader has it in service", 15_000);
  await all([follower], second, active);
}, 60_000);
