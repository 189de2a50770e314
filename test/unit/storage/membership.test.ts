/** What a storage knows and remembers of its membership. */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { Membership, type MembershipFacts } from "#storage/membership.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";

class KeptFacts {
  facts: MembershipFacts | undefined;
  saves = 0;
  loadMembership = (): MembershipFacts | undefined => this.facts;
  saveMembership(facts: MembershipFacts): void {
    this.facts = facts;
    this.saves += 1;
  }
}

interface Stage {
  readonly kept: KeptFacts;
  readonly clock: ManualClock;
  readonly membership: Membership;
  readonly records: ReturnType<typeof collectedLog>["records"];
}

function stage(kept = new KeptFacts()): Stage {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  return { kept, clock, records, membership: new Membership(kept, { clock, log }) };
}

const source = { source: StorageId("10.0.0.2"), until: 1_700_000_100 };

test("the first start is noted once", () => {
  const { kept, clock, membership } = stage();
  const first = Math.floor(clock.nowMs() / 1000);
  expect(membership.facts.joinTime).toBe(first);
  clock.advance(5000);
  expect(stage(kept).membership.facts.joinTime).toBe(first);
});

test("who fills us is asked once, by whoever comes first, and kept", async () => {
  const { kept, membership } = stage();
  let asked = 0;
  const ask = async (): Promise<typeof source> => {
    asked += 1;
    return source;
  };
  await Promise.all([membership.settleOnce(ask), membership.settleOnce(ask)]);
  await membership.settleOnce(ask);
  expect(asked).toBe(1);
  expect(kept.facts).toMatchObject({
    syncSettled: true,
    syncSource: source.source,
    syncUntil: source.until,
    filled: false,
  });
  expect(stage(kept).membership.own).toEqual({
    status: storageStatus.none,
    settled: true,
    ...source,
    filled: false,
  });
});

test("a question that failed is asked again", async () => {
  const { membership } = stage();
  const failing = membership.settleOnce(() => Promise.reject(new Error("nobody active")));
  await expect(failing).rejects.toThrow("nobody active");
  expect(membership.own.settled).toBe(false);
  await membership.settleOnce(async () => undefined);
  expect(membership.own).toMatchObject({ settled: true, source: undefined, filled: true });
});

test("a tracker that never answers who fills us does not keep another one from it", async () => {
  const { clock, membership } = stage();
  let answerLate: (late: typeof source) => void = () => {};
  const never = membership.settleOnce(
    () =>
      new Promise((resolve) => {
        answerLate = resolve;
      }),
  );
  const second = membership.settleOnce(async () => source);
  await turns();
  expect(membership.own.settled).toBe(false);
  clock.advance(3000);
  await second;
  expect(membership.own).toMatchObject({ settled: true, source: source.source });
  // The first answer counts.
  answerLate({ source: StorageId("10.0.0.9"), until: 1 });
  await never;
  expect(membership.own.source).toBe(source.source);
});

test("each change of the status is logged once, with since when it is so", () => {
  const { clock, membership, records } = stage();
  clock.advance(2000);
  for (const status of [storageStatus.init, storageStatus.init]) {
    membership.apply({ name: "joined", status });
    clock.advance(1000);
  }
  const changes = records.filter(({ event }) => event === "own-status");
  expect(changes.map(({ data }) => data)).toEqual([{ from: "NONE", to: "INIT", why: "joined" }]);
  expect(membership.since).toBe(Math.floor(clock.nowMs() / 1000) - 2);
});

test("what the machine asks for is done or passed on", () => {
  const { kept, membership } = stage();
  const calls: unknown[] = [];
  membership.onRejoin = () => calls.push("rejoin");
  membership.onTell = (status) => calls.push(status);
  membership.apply({ name: "source-decided", source: undefined, until: 0 });
  membership.apply({ name: "recovery-began" });
  membership.apply({ name: "recovery-ended" });
  expect(calls).toEqual([storageStatus.recovery, "rejoin"]);
  expect(membership.apply({ name: "listed", status: storageStatus.syncing })).toEqual({
    correctTracker: true,
  });
  expect(kept.facts).toMatchObject({ syncSettled: true, filled: true });
});

test("the addresses of the past are kept, the last one first, and a change is told once to each tracker", () => {
  const { kept, membership } = stage();
  expect(membership.learnOwnAddress("10.0.0.1")).toBeUndefined();
  expect(membership.learnOwnAddress("10.0.0.1")).toBeUndefined();
  const { saves } = kept;
  const { membership: next } = stage(kept);
  expect(next.lastAddress).toBe("10.0.0.1");
  expect([next.learnOwnAddress("10.0.0.2"), next.learnOwnAddress("10.0.0.2")]).toEqual([
    "10.0.0.1",
    "10.0.0.1",
  ]);
  expect(kept.saves).toBe(saves + 1);
  for (let at = 3; at < 20; at += 1) next.learnOwnAddress(`10.0.0.${at}`);
  expect(next.facts.ownAddresses.slice(0, 2)).toEqual(["10.0.0.19", "10.0.0.18"]);
  expect(next.facts.ownAddresses).toHaveLength(8);
});
