import { expect, test } from "vitest";
import { type LeaderAsker, Leadership } from "#tracker/election/leadership.ts";

const port = 22122;
const self = { addresses: ["10.0.0.1"], port };
const other = { addresses: ["10.0.0.2"], port };
const endpoint = { address: "10.0.0.2", port };
const asker: LeaderAsker = { remoteAddress: "10.0.0.9", localAddress: "10.0.0.1" };

function leadership(hasGroups = true): Leadership {
  const made = new Leadership(() => hasGroups);
  made.ownPort = port;
  return made;
}

test("a tracker that knows no other one leads as soon as it has a group", () => {
  expect([leadership(false).isLeader, leadership(true).isLeader]).toEqual([false, true]);
  const alone = leadership();
  expect(alone.merge([self], ["10.0.0.1"])).toBe("merged");
  expect([alone.isLeader, alone.isAlone]).toEqual([true, true]);
});

test("before the first join a leader is where it was reached", () => {
  expect(leadership().endpointFor(asker)).toEqual({ address: "10.0.0.1", port });
  expect(leadership(false).endpointFor(asker)).toBe("none");
});

test("the list must contain us, by one of our addresses and our port", () => {
  const third = { addresses: ["10.0.0.3"], port };
  expect(leadership().merge([other, third], ["10.0.0.1"])).toBe("not-among-them");
  expect(leadership().merge([{ ...self, port: 1 }, other], ["10.0.0.1"])).toBe("not-among-them");
  expect(leadership().merge([other, third], ["10.0.0.1", "10.0.0.2"])).toBe("merged");
});

test("the only tracker of a list is us, behind whatever address and port", () => {
  const made = leadership();
  expect(made.merge([{ addresses: ["59.1.2.3"], port: 80 }], ["10.0.0.1"])).toBe("merged");
  expect(made.merge([self], ["10.0.0.1"])).toBe("merged");
  expect([made.isAlone, made.trackers.length]).toEqual([true, 2]);
  const facts = { trackerAddress: "59.1.2.3" };
  expect(made.endpointFor({ ...asker, facts })).toEqual({ address: "59.1.2.3", port: 80 });
});

test("addresses of a known tracker are merged, at most two of it", () => {
  const made = leadership();
  made.merge([self, other], ["10.0.0.1"]);
  made.merge([self, { addresses: ["10.0.0.2", "59.1.2.3"], port }], []);
  made.merge([self, { addresses: ["59.1.2.3", "59.1.2.4"], port }], []);
  expect(made.trackers).toEqual([self, { addresses: ["10.0.0.2", "59.1.2.3"], port }]);
});

test("more than sixteen trackers are not taken over", () => {
  const made = leadership();
  const many = Array.from({ length: 16 }, (_, at) => ({ addresses: [`10.0.1.${at}`], port }));
  expect(made.merge([self, ...many], ["10.0.0.1"])).toBe("too-many");
  expect(made.trackers).toEqual([]);
});

test("among several trackers nobody leads until the two-phase announcement named one", () => {
  const made = leadership();
  const before = made.version;
  made.merge([self, other], ["10.0.0.1"]);
  expect([made.isLeader, made.endpointFor(asker)]).toEqual([false, "none"]);
  expect(made.version).toBeGreaterThan(before);
  expect(made.commit(endpoint)).toBe("not-nominated");
  expect(made.nominate(endpoint)).toBe("noted");
  expect(made.commit({ address: "10.0.0.1", port })).toBe("not-nominated");
  expect(made.commit(endpoint)).toBe("leads");
  expect([made.isLeader, made.endpointFor(asker)]).toEqual([false, endpoint]);
});

test("named ourselves, we lead, until somebody else is named", () => {
  const made = leadership();
  made.merge([self, other], ["10.0.0.1"]);
  made.nominate({ address: "10.0.0.1", port });
  made.commit({ address: "10.0.0.1", port });
  const { version } = made;
  expect(made.isLeader).toBe(true);
  expect(made.nominate(endpoint)).toBe("stepped-down");
  expect(made.isLeader).toBe(false);
  expect(made.version).toBeGreaterThan(version);
});

test("a tracker that is not in the list cannot be named", () => {
  const made = leadership();
  made.merge([self], ["10.0.0.1"]);
  expect([made.nominate(endpoint), made.commit(endpoint)]).toEqual(["unknown", "unknown"]);
});

test("whoever is alone leads on after stepping down", () => {
  const made = leadership();
  made.merge([self], ["10.0.0.1"]);
  made.stepDown();
  expect(made.isLeader).toBe(true);
});

test("of two addresses a leader tells the one of the asker's network, or the one it was given", () => {
  const made = leadership();
  made.merge([{ addresses: ["10.0.0.1", "59.1.2.3"], port }], ["10.0.0.1"]);
  const from = (remoteAddress: string, trackerAddress?: string): unknown =>
    made.endpointFor({ ...asker, remoteAddress, facts: { trackerAddress } });
  expect(from("10.0.0.9")).toEqual({ address: "10.0.0.1", port });
  expect(from("8.8.8.8")).toEqual({ address: "59.1.2.3", port });
  expect(from("10.0.0.9", "59.1.2.3")).toEqual({ address: "59.1.2.3", port });
});
