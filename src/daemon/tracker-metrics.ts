/** Metrics of the tracker: who leads, who follows, which storages clients are sent to. Read just before they are rendered. */
import type { MetricRegistry } from "#base/metrics.ts";
import type { TrackerSnapshot } from "#tracker/tracker-snapshot.ts";

export function registerTracker(registry: MetricRegistry, tracker: () => TrackerSnapshot): void {
  const leads = registry.gauge({
    name: "tracker_leads",
    help: "1 while this tracker leads the others, or is the only one.",
  });
  const known = registry.gauge({
    name: "tracker_leader_known",
    help: "1 while this tracker leads or follows a leader.",
  });
  const since = registry.gauge({
    name: "tracker_leader_since_seconds",
    help: "When the leader changed last, in seconds since 1970.",
    unit: "seconds",
  });
  const follows = registry.gauge({
    name: "tracker_follower_active",
    help: "At the leader: 1 while another tracker follows it.",
    labels: ["tracker"],
  });
  const status = registry.gauge({
    name: "tracker_storage_status",
    help: "Status of a storage as this tracker sees it, by FastDFS's numbers: 7 is active.",
    labels: ["group", "storage"],
  });
  const readable = registry.gauge({
    name: "tracker_group_readable",
    help: "Storages of a group to which readers are sent.",
    labels: ["group"],
  });
  const writable = registry.gauge({
    name: "tracker_group_writable",
    help: "Storages of a group to which uploads are sent.",
    labels: ["group"],
  });
  const failures = registry.counter({
    name: "tracker_state_write_failures",
    help: "Writes of the tracker's state that failed since the start.",
  });
  const followers = new Set<string>();
  registry.beforeRender(() => {
    const { leadership, groups, stateWriteFailures } = tracker();
    leads.with({}).set(leadership.role === "leader" ? 1 : 0);
    known.with({}).set(leadership.role === "none" ? 0 : 1);
    since.with({}).set(leadership.since);
    // Who is none of ours any more stays, as one that is not there.
    for (const each of followers) follows.with({ tracker: each }).set(0);
    for (const { tracker: endpoint, isActive } of leadership.followers) {
      followers.add(endpoint);
      follows.with({ tracker: endpoint }).set(isActive ? 1 : 0);
    }
    for (const { group, storages, readableCount, writableCount } of groups) {
      readable.with({ group }).set(readableCount);
      writable.with({ group }).set(writableCount);
      for (const { id, status: number } of storages)
        status.with({ group, storage: id }).set(number);
    }
    const written = failures.with({});
    written.add(Math.max(0, stateWriteFailures - written.value));
  });
}
