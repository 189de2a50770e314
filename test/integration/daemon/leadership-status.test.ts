import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { leadershipStatus } from "#daemon/leadership-status.ts";
import { registerTracker } from "#daemon/tracker-metrics.ts";
import type { RunningTracker } from "#tracker/tracker-role.ts";
import type { TrackerSnapshot } from "#tracker/tracker-snapshot.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";
import { TrackerHarness } from "../../support/tracker-harness.ts";

function statusOf(snapshot: TrackerSnapshot): ReturnType<typeof leadershipStatus> {
  return leadershipStatus({ tracker: { snapshot: () => snapshot } as RunningTracker });
}

test("a node without tracker has nothing to say of leaders", () => {
  expect(leadershipStatus({ tracker: undefined })).toEqual({ leadership: undefined, problems: [] });
});

test("a single tracker leads, and that is no problem", async () => {
  await using harness = await TrackerHarness.start();
  const before = leadershipStatus({ tracker: harness.tracker });
  expect(before).toMatchObject({ leadership: { role: "none" }, problems: [] });
  harness.clock.offsetMs = 60_000;
  expect(leadershipStatus({ tracker: harness.tracker }).problems).toEqual([]);
  await harness.joined("127.0.0.2");
  const { leadership, problems } = leadershipStatus({ tracker: harness.tracker });
  expect([leadership?.role, leadership?.leader, problems]).toEqual([
    "leader",
    `127.0.0.1:${harness.port}`,
    [],
  ]);
});

test("after half a minute without leader, or with one who is not followed, somebody must look", async () => {
  await using harness = await TrackerHarness.start();
  const snapshot = harness.tracker.snapshot();
  const trackers = [harness.endpoint, harness.endpoint].map(({ port }) => ({ address: "a", port }));
  const with_ = (forSeconds: number, given: object): TrackerSnapshot => ({
    ...snapshot,
    trackers,
    leadership: { ...snapshot.leadership, forSeconds, ...given },
  });
  const none = { role: "none", why: "10.0.0.2:22122, which led, does not answer" } as const;
  expect(statusOf(with_(29, none)).problems).toEqual([]);
  expect(statusOf(with_(31, none)).problems).toEqual([
    "No tracker leads (10.0.0.2:22122, which led, does not answer): clients are served, but changes of the cluster are told to nobody. Check the other trackers and the network between them.",
  ]);
  const followers = [
    { tracker: "10.0.0.2:22122", isActive: true, lastPingTime: 5 },
    { tracker: "10.0.0.3:22122", isActive: false, lastPingTime: 0 },
  ];
  const leads = { role: "leader", leader: "10.0.0.1:22122", why: undefined, followers } as const;
  expect(statusOf(with_(29, leads)).problems).toEqual([]);
  const { leadership, problems } = statusOf(with_(31, leads));
  expect(problems).toEqual([
    "Tracker 10.0.0.3:22122 does not follow this one, which leads. Check that it runs, and the network between them.",
  ]);
  expect(leadership?.followers).toEqual([
    { endpoint: "10.0.0.2:22122", active: true, lastPing: 5 },
    { endpoint: "10.0.0.3:22122", active: false, lastPing: 0 },
  ]);
});

test("metrics say who leads and follows, and to how many storages clients are sent", async () => {
  await using harness = await TrackerHarness.start();
  const registry = new MetricRegistry();
  await harness.active("127.0.0.2");
  let snapshot = harness.tracker.snapshot();
  registerTracker(registry, () => snapshot);
  const sample = (wanted: string): number | undefined => {
    const families = parseOpenMetrics(registry.render("openmetrics"));
    const all = [...families.values()].flatMap((family) => family.samples);
    return all.find(({ name, labels }) => [name, ...Object.values(labels)].join() === wanted)
      ?.value;
  };
  const seen = (): unknown => [
    sample("tracker_leads"),
    sample("tracker_leader_known"),
    sample("tracker_group_readable,group1"),
    sample("tracker_storage_status,group1,127.0.0.2"),
    sample("tracker_follower_active,10.0.0.2:22122"),
  ];
  expect(seen()).toEqual([1, 1, 1, 7, undefined]);
  const follower = { tracker: "10.0.0.2:22122", isActive: true, lastPingTime: 1 };
  snapshot = { ...snapshot, leadership: { ...snapshot.leadership, followers: [follower] } };
  expect(seen()).toEqual([1, 1, 1, 7, 1]);
  snapshot = { ...snapshot, leadership: { ...snapshot.leadership, role: "none", followers: [] } };
  expect(seen()).toEqual([0, 0, 1, 7, 0]);
});
