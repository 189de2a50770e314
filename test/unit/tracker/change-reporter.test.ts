import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { storageStatus } from "#model/storage-status.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import { type Asker, changesFor } from "#tracker/change-reporter.ts";
import { Leadership } from "#tracker/election/leadership.ts";
import { newTrackerFacts } from "#tracker/tracker-facts.ts";
import {
  addStorage,
  groupOf,
  registryHarness,
  StillClock,
} from "../../support/tracker-registry.ts";

const { active, offline } = storageStatus;

function asker(): Asker {
  return { facts: newTrackerFacts(), remoteAddress: "10.0.0.1", localAddress: "10.0.0.254" };
}

function leader(leads = true): Leadership {
  const leadership = new Leadership({
    clock: new StillClock(),
    log: new Log("tracker", () => {}),
    hasGroups: () => leads,
  });
  leadership.ownPort = 22122;
  return leadership;
}

test("the first report tells the leader and all members, the next one nothing", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  addStorage(registry, "10.0.0.2", { status: offline });
  const [who, leadership] = [asker(), leader()];
  expect(changesFor(storage, who, leadership)).toEqual({
    leader: { address: "10.0.0.254", port: 22122 },
    trunkServer: undefined,
    members: [
      { id: "10.0.0.1", address: "10.0.0.1", port: 23000, status: active },
      { id: "10.0.0.2", address: "10.0.0.2", port: 23000, status: offline },
    ],
  });
  expect(changesFor(storage, who, leadership)).toBe(noChanges);
});

test("a change is told once to each storage, and everything anew after a join", () => {
  const { registry } = registryHarness();
  const [a, b] = [addStorage(registry, "10.0.0.1"), addStorage(registry, "10.0.0.2")];
  const leadership = leader();
  const [forA, forB] = [asker(), asker()];
  changesFor(a, forA, leadership);
  changesFor(b, forB, leadership);
  registry.apply(b, { name: "silent" });
  const report = changesFor(a, forA, leadership);
  expect(report.leader).toBeUndefined();
  expect(report.members?.map(({ status }) => status)).toEqual([active, offline]);
  expect(changesFor(a, forA, leadership)).toBe(noChanges);
  registry.apply(a, { name: "join", initializing: false, reported: active });
  expect(changesFor(a, forA, leadership).members?.length).toBe(2);
});

test("news of the trunk server come when there was one", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  const [who, leadership] = [asker(), leader()];
  changesFor(storage, who, leadership);
  registry.setTrunkServer(groupOf(registry), storage.id);
  expect(changesFor(storage, who, leadership).trunkServer).toMatchObject({ id: "10.0.0.1" });
  registry.setTrunkServer(groupOf(registry), undefined);
  expect(changesFor(storage, who, leadership).trunkServer).toBe("none");
});

test("a tracker that does not lead tells nothing, and nothing counts as told", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  const who = asker();
  expect(changesFor(storage, who, leader(false))).toBe(noChanges);
  expect(changesFor(storage, who, leader()).members?.length).toBe(1);
});

test("a contradicted peer is told as offline once, then as it is", () => {
  const { registry } = registryHarness();
  const [a, b] = [addStorage(registry, "10.0.0.1"), addStorage(registry, "10.0.0.2")];
  const [who, leadership] = [asker(), leader()];
  changesFor(a, who, leadership);
  who.facts.contradicted.add(b.id);
  a.membersTold = -1;
  const status = (): unknown => changesFor(a, who, leadership).members?.[1]?.status;
  expect([status(), status(), status()]).toEqual([offline, active, undefined]);
});

test("news are not told over a connection from before the storage joined anew", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  const [before, now, leadership] = [asker(), asker(), leader()];
  storage.session = now.facts;
  changesFor(storage, now, leadership);
  registry.apply(storage, { name: "silent" });
  expect(changesFor(storage, before, leadership)).toBe(noChanges);
  expect(changesFor(storage, now, leadership).members?.length).toBe(1);
});
