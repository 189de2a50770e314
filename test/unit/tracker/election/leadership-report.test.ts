import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { Leadership } from "#tracker/election/leadership.ts";
import { type LeadershipReport, leadershipReport } from "#tracker/election/leadership-report.ts";
import { StillClock } from "../../../support/tracker-registry.ts";

const port = 22122;
const self = { addresses: ["10.0.0.1"], port };
const b = { addresses: ["10.0.0.2"], port };
const c = { addresses: ["10.0.0.3"], port };

function stage(hasGroups = true): { leadership: Leadership; report: () => LeadershipReport } {
  const clock = new StillClock();
  const log = new Log("tracker", () => {});
  const leadership = new Leadership({ clock, log, hasGroups: () => hasGroups });
  leadership.ownPort = port;
  return { leadership, report: () => leadershipReport(leadership, clock.monotonicMs()) };
}

const own = { local: "10.0.0.1", configured: "10.0.0.1" };

test("the only tracker waits for its first storage, and leads then", () => {
  expect(stage(false).report()).toMatchObject({ role: "none", why: "no storage has joined yet" });
  const { leadership, report } = stage();
  leadership.merge("a", [self], own);
  expect(report()).toEqual({
    role: "leader",
    leader: "10.0.0.1:22122",
    since: 1_700_000_000,
    forSeconds: 0,
    why: undefined,
    followers: [],
    hasMajority: true,
  });
});

test("it says why nobody leads, in each phase of an election", () => {
  const { leadership, report } = stage();
  const seen: unknown[] = [];
  const note = (): unknown => seen.push([report().role, report().why]);
  leadership.merge("a", [self, b, c], own);
  note();
  leadership.apply({ name: "tick" });
  const candidate = (address: string, runningTime: number): object => ({
    endpoint: { address, port },
    isLeader: false,
    runningTime,
    restartInterval: 0,
  });
  const others = [candidate("10.0.0.2", 300)] as never;
  const mine = candidate("10.0.0.1", 0) as never;
  leadership.apply({ name: "placements", own: mine, others, pauseMs: 0 });
  note();
  leadership.apply({ name: "tick" });
  note();
  leadership.apply({ name: "placements", own: mine, others: [], pauseMs: 0 });
  note();
  expect(seen).toEqual([
    ["none", "other trackers are known now"],
    ["none", "10.0.0.2:22122 is best placed, and is to announce itself"],
    ["none", "10.0.0.2:22122 is to lead, and has not announced itself"],
    ["none", "this tracker is telling the others that it leads"],
  ]);
});

test("a follower names its leader, a leader those who follow and those who should", () => {
  const { leadership, report } = stage();
  leadership.merge("a", [self, b, c], own);
  leadership.nominate({ address: "10.0.0.2", port });
  leadership.commit({ address: "10.0.0.2", port });
  expect(report()).toMatchObject({ role: "follower", leader: "10.0.0.2:22122", followers: [] });
  leadership.nominate({ address: "10.0.0.1", port });
  leadership.commit({ address: "10.0.0.1", port });
  leadership.follow("10.0.0.3:22122", {
    endpoint: { address: "10.0.0.3", port },
    upTime: 0,
    version: "",
    connections: { allocated: 0, current: 0, max: 0 },
    lastPingTime: 7,
    pingedAtMs: 1_700_000_000_000,
    countersRead: true,
    fileIds: new Map(),
  });
  expect(report()).toMatchObject({
    role: "leader",
    leader: "10.0.0.1:22122",
    followers: [
      { tracker: "10.0.0.2:22122", isActive: false, lastPingTime: 0 },
      { tracker: "10.0.0.3:22122", isActive: true, lastPingTime: 7 },
    ],
    hasMajority: true,
  });
});
