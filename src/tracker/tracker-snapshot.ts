/** What a tracker shows of itself for status pages, metrics and the command line: plain data, taken at one moment. */
import type { Endpoint } from "#model/endpoint.ts";
import type { ConnectionCounts } from "#net/frame-server.ts";
import type { GroupStat, StorageStat } from "#protocol/fastdfs/monitoring.ts";
import type { CommandCount } from "#tracker/command-counters.ts";
import { type LeadershipReport, leadershipReport } from "#tracker/election/leadership-report.ts";
import { groupStat, storageStat } from "#tracker/handlers/admin.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";

export interface GroupSnapshot extends GroupStat {
  /** By id. */
  readonly storages: readonly StorageSnapshot[];
}

export interface StorageSnapshot extends StorageStat {
  readonly addresses: readonly string[];
  /** Up to which of its timestamps each source's files have arrived, Unix seconds. */
  readonly syncTimes: Readonly<Record<string, number>>;
}

export interface TrackerSnapshot {
  /** Unix seconds. */
  readonly startedAt: number;
  readonly isLeader: boolean;
  readonly leadership: LeadershipReport;
  /** Every tracker that the storages know; empty before the first join. */
  readonly trackers: readonly Endpoint[];
  readonly connections: ConnectionCounts;
  readonly groups: readonly GroupSnapshot[];
  readonly commands: readonly CommandCount[];
  /** Writes of the state that failed since the start. */
  readonly stateWriteFailures: number;
}

export function takeSnapshot(
  core: TrackerCore,
  commands: readonly CommandCount[],
): TrackerSnapshot {
  return {
    startedAt: core.startedAt,
    isLeader: core.leadership.isLeader,
    leadership: leadershipReport(core.leadership, core.clock.monotonicMs()),
    trackers: core.leadership.trackers.flatMap(({ addresses, port }) =>
      addresses.map((address) => ({ address, port })),
    ),
    connections: core.connections(),
    groups: core.registry.groups.map((group) => ({
      ...groupStat(core, group),
      storages: group.storages.map((storage) => ({
        ...storageStat(core, storage, ""),
        addresses: storage.addresses,
        syncTimes: Object.fromEntries(storage.syncTimes),
      })),
    })),
    commands,
    stateWriteFailures: core.writer.failures,
  };
}
