/** What a storage remembers of its membership. */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { Membership, type MembershipFacts, type StorageState } from "#storage/membership.ts";

class KeptState implements StorageState {
  facts: MembershipFacts | undefined;
  loadMembership = (): MembershipFacts | undefined => this.facts;
  saveMembership(facts: MembershipFacts): void {
    this.facts = facts;
  }
  loadCounts = () => ({});
  saveCounts = (): void => {};
}

const source = { source: StorageId("10.0.0.2"), until: 1_700_000_100 };

test("the first start is noted once", () => {
  const state = new KeptState();
  expect(new Membership(state, 1000).facts.joinTime).toBe(1000);
  expect(new Membership(state, 2000).facts.joinTime).toBe(1000);
});

test("who fills us is asked once, by whoever comes first, and kept", async () => {
  const state = new KeptState();
  const membership = new Membership(state, 1000);
  let asked = 0;
  const ask = async (): Promise<typeof source> => {
    asked += 1;
    return source;
  };
  await Promise.all([membership.settleOnce(ask), membership.settleOnce(ask)]);
  await membership.settleOnce(ask);
  expect(asked).toBe(1);
  expect(state.facts).toEqual({
    joinTime: 1000,
    syncSettled: true,
    syncSource: source.source,
    syncUntil: source.until,
  });
});

test("a question that failed is asked again", async () => {
  const membership = new Membership(new KeptState(), 1000);
  const failing = membership.settleOnce(() => Promise.reject(new Error("nobody active")));
  await expect(failing).rejects.toThrow("nobody active");
  expect(membership.facts.syncSettled).toBe(false);
  await membership.settleOnce(async () => undefined);
  expect(membership.facts).toMatchObject({ syncSettled: true, syncSource: undefined });
});

test("the question can be opened again", async () => {
  const membership = new Membership(new KeptState(), 1000);
  membership.settle(source.source, source.until);
  membership.reopen();
  expect(membership.facts).toEqual({
    joinTime: 1000,
    syncSettled: false,
    syncSource: undefined,
    syncUntil: 0,
  });
});
