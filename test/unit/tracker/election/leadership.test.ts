import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { ElectionEffect } from "#tracker/election/election-machine.ts";
import { type LeaderAsker, Leadership } from "#tracker/election/leadership.ts";
import { StillClock } from "../../../support/tracker-registry.ts";

const port = 22122;
const self = { addresses: ["10.0.0.1"], port };
const other = { addresses: ["10.0.0.2"], port };
const endpoint = { address: "10.0.0.2", port };
const asker: LeaderAsker = { remoteAddress: "10.0.0.9", localAddress: "10.0.0.1" };

class Told extends Leadership {
  readonly clock: StillClock;
  readonly records: LogRecord[];

  constructor(hasGroups: boolean) {
    const [clock, records] = [new StillClock(), [] as LogRecord[]];
    const log = new Log("tracker", (record) => records.push(record));
    super({ clock, log, hasGroups: () => hasGroups });
    this.clock = clock;
    this.records = records;
  }

  /** What one storage, or another one, knows of the trackers; it reached us at the first address. */
  told(list: readonly ServerEndpoint[], own: readonly string[], storage = "group1/a"): string {
    return this.merge(storage, list, { local: own[0] ?? "", configured: own[1] ?? "" });
  }
}

function leadership(hasGroups = true): Told {
  const made = new Told(hasGroups);
  made.ownPort = port;
  return made;
}

test("a tracker that knows no other one leads as soon as it has a group", () => {
  expect([leadership(false).isLeader, leadership(true).isLeader]).toEqual([false, true]);
  const alone = leadership();
  expect(alone.told([self], ["10.0.0.1"])).toBe("merged");
  expect([alone.isLeader, alone.isAlone]).toEqual([true, true]);
});

test("before the first join a leader is where it was reached", () => {
  expect(leadership().endpointFor(asker)).toEqual({ address: "10.0.0.1", port });
  expect(leadership(false).endpointFor(asker)).toBe("none");
});

test("the list must contain us, by one of our addresses and our port", () => {
  const third = { addresses: ["10.0.0.3"], port };
  expect(leadership().told([other, third], ["10.0.0.1"])).toBe("not-among-them");
  expect(leadership().told([{ ...self, port: 1 }, other], ["10.0.0.1"])).toBe("not-among-them");
  expect(leadership().told([other, third], ["10.0.0.1", "10.0.0.2"])).toBe("merged");
});

test("the only tracker of a list is us, behind whatever address and port", () => {
  const made = leadership();
  expect(made.told([{ addresses: ["59.1.2.3"], port: 80 }], ["10.0.0.1"])).toBe("merged");
  expect(made.told([self], ["10.0.0.1"], "group1/b")).toBe("merged");
  expect([made.isAlone, made.trackers.length]).toEqual([true, 2]);
  const facts = { trackerAddress: "59.1.2.3" };
  expect(made.endpointFor({ ...asker, facts })).toEqual({ address: "59.1.2.3", port: 80 });
});

test("addresses of a known tracker are merged, at most two of it", () => {
  const made = leadership();
  made.told([self, other], ["10.0.0.1"]);
  made.told([self, { addresses: ["10.0.0.2", "59.1.2.3"], port }], [], "group1/b");
  made.told([self, { addresses: ["59.1.2.3", "59.1.2.4"], port }], [], "group1/c");
  expect(made.trackers).toEqual([self, { addresses: ["10.0.0.2", "59.1.2.3"], port }]);
});

test("more than sixteen trackers are not taken over", () => {
  const made = leadership();
  const many = Array.from({ length: 16 }, (_, at) => ({ addresses: [`10.0.1.${at}`], port }));
  expect(made.told([self, ...many], ["10.0.0.1"])).toBe("too-many");
  expect(made.trackers).toEqual([]);
});

test("among several trackers nobody leads until the two-phase announcement named one", () => {
  const made = leadership();
  const before = made.version;
  made.told([self, other], ["10.0.0.1"]);
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
  made.told([self, other], ["10.0.0.1"]);
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
  made.told([self], ["10.0.0.1"]);
  expect([made.nominate(endpoint), made.commit(endpoint)]).toEqual(["unknown", "unknown"]);
});

test("whoever is alone leads on after stepping down", () => {
  const made = leadership();
  made.told([self], ["10.0.0.1"]);
  expect(made.reselect(1000)).toBeUndefined();
  expect(made.isLeader).toBe(true);
});

test("of two addresses a leader tells the one of the asker's network, or the one it was given", () => {
  const made = leadership();
  made.told([{ addresses: ["10.0.0.1", "59.1.2.3"], port }], ["10.0.0.1"]);
  const from = (remoteAddress: string, trackerAddress?: string): unknown =>
    made.endpointFor({ ...asker, remoteAddress, facts: { trackerAddress } });
  expect(from("10.0.0.9")).toEqual({ address: "10.0.0.1", port });
  expect(from("8.8.8.8")).toEqual({ address: "59.1.2.3", port });
  expect(from("10.0.0.9", "59.1.2.3")).toEqual({ address: "59.1.2.3", port });
});

test("which trackers there are is what the storages know now: one that none of them names is forgotten", () => {
  const made = leadership();
  const third = { addresses: ["10.0.0.3"], port };
  made.told([self, other], ["10.0.0.1"], "group1/a");
  made.told([self, other, third], ["10.0.0.1"], "group1/b");
  expect(made.others).toEqual([other, third]);
  made.told([self, third], ["10.0.0.1"], "group1/b");
  expect(made.others).toEqual([other, third]);
  made.told([self, third], ["10.0.0.1"], "group1/a");
  expect(made.others).toEqual([third]);
  // A storage that was deleted has no say.
  made.told([self], ["10.0.0.1"], "group1/a");
  made.keepLists((storage) => storage !== "group1/b");
  expect([made.others, made.isAlone, made.isLeader]).toEqual([[], true, true]);
});

test("a leader that no storage names any more is not followed", () => {
  const made = leadership();
  made.told([self, other], ["10.0.0.1"]);
  made.nominate(endpoint);
  made.commit(endpoint);
  expect(made.endpointFor(asker)).toEqual(endpoint);
  made.told([self, { addresses: ["10.0.0.3"], port }], ["10.0.0.1"]);
  expect(made.endpointFor(asker)).toBe("none");
});

test("others know us by an address of this machine, never by one that only a router has", () => {
  const made = leadership();
  made.told([{ addresses: ["59.1.2.3"], port }, other], ["10.0.0.1", "59.1.2.3"]);
  expect(made.localAddressFor("10.0.0.2")).toBeUndefined();
  made.told([{ addresses: ["59.1.2.3", "10.0.0.1"], port }, other], ["10.0.0.1", "59.1.2.3"]);
  expect([made.localAddressFor("10.0.0.2"), made.localAddressFor("fe80::1")]).toEqual([
    "10.0.0.1",
    undefined,
  ]);
});

test("a majority is we and those who pinged within three seconds", () => {
  const made = leadership();
  const list = ["1", "2", "3", "4"].map((last) => ({ addresses: [`10.0.0.${last}`], port }));
  made.told(list, ["10.0.0.1"]);
  const follow = (address: string): void => {
    made.follow(address, {
      endpoint: { address, port },
      upTime: 0,
      version: "",
      connections: { allocated: 0, current: 0, max: 0 },
      lastPingTime: 0,
      pingedAtMs: made.clock.monotonicMs(),
      countersRead: false,
      fileIds: new Map(),
    });
  };
  const seen: boolean[] = [made.hasMajority];
  follow("10.0.0.2");
  seen.push(made.hasMajority);
  follow("10.0.0.3");
  seen.push(made.hasMajority);
  made.clock.seconds += 4;
  seen.push(made.hasMajority);
  expect(seen).toEqual([false, false, true, false]);
});

test("a change of the leader is logged once, with its reason, and dated", () => {
  const made = leadership();
  const effects: ElectionEffect[] = [];
  made.onEffects = (wanted) => effects.push(...wanted);
  made.told([self, other], ["10.0.0.1"]);
  made.clock.seconds += 9;
  made.apply({ name: "tick" });
  made.nominate(endpoint);
  made.commit(endpoint);
  made.commit(endpoint);
  expect(made.records.map(({ data }) => data)).toEqual([
    { leader: "none", before: "this tracker, the only one", why: "trackers" },
    { leader: "10.0.0.2:22122", before: "none", why: "committed" },
  ]);
  expect(made.since).toBe(made.clock.seconds);
  expect(effects.map(({ name }) => name)).toEqual(["ask", "hang-up", "ping"]);
});
