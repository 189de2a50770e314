/** Reporters of one storage against scripted trackers on the loopback, with a clock that runs twenty times as fast. */
import type { StorePathReport } from "#filestore/file-store.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import { GroupName } from "#model/group-name.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { ClusterView } from "#storage/cluster-view.ts";
import { GroupPart } from "#storage/group-part.ts";
import type { Membership, MembershipFacts } from "#storage/membership.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { noSyncFacts, type SyncFacts } from "#storage/sync-facts.ts";
import { TrackerReporter } from "#storage/tracker-reporter.ts";
import { collectedLog } from "./frame-fixture.ts";
import type { ScriptedTracker } from "./scripted-tracker.ts";
import { until } from "./settled.ts";
import { MemoryState } from "./storage-stage.ts";

/** Twenty times as fast, so that pauses of seconds do not slow the tests down. */
export const quickClock: Clock = {
  ...nodeClock,
  monotonicMs: () => nodeClock.monotonicMs() * 20,
  after: (delayMs: number, task: () => void): Timer => nodeClock.after(delayMs / 20, task),
};

export const storePath: StorePathReport = {
  index: 0,
  directory: "/data",
  state: "online",
  problem: undefined,
  readOnly: false,
  totalBytes: 100 * 1024 ** 2 + 5,
  freeBytes: 50 * 1024 ** 2 + 5,
  quarantines: 0,
  abandoned: 0,
};

const noConnections = { current: 0, peak: 0, limit: 100, refused: 0 };

/** What differs from an established storage with one store path. */
export interface StageChanges {
  readonly serverId?: string;
  readonly facts?: MembershipFacts;
  readonly sync?: Partial<SyncFacts>;
  readonly patience?: { readonly sourcePatienceMs: number };
  readonly paths?: readonly StorePathReport[];
  readonly state?: MemoryState;
  readonly address?: string;
  /** Further trackers, which may not exist. */
  readonly more?: readonly ServerEndpoint[];
}

export interface ReporterStage {
  readonly settings: StorageSettings;
  readonly view: ClusterView;
  readonly group: GroupPart;
  readonly kept: MemoryState;
  readonly membership: Membership;
  readonly reporters: readonly TrackerReporter[];
  readonly counters: StorageCounters;
  readonly events: () => string[];
  readonly stop: () => Promise<void>;
}

/** Settings of a storage whose trackers are `to`. */
function settingsFor(to: readonly ScriptedTracker[], serverId: string): StorageSettings {
  return {
    group: GroupName("group1"),
    port: 23000,
    bind: ["127.0.0.1"],
    address: "127.0.0.1",
    joinFrom: undefined,
    serverId,
    trackers: to.map(({ port }) => ({ addresses: ["127.0.0.1"], port })),
    subdirCount: 256,
    uploadPriority: 10,
    maxConnections: 100,
    connectTimeoutMs: 20_000,
    networkTimeoutMs: 20_000,
    heartBeatIntervalMs: 2000,
    diskReportIntervalMs: 4000,
    version: "6.16.0",
    verifyIntervalMs: 0,
    recoveryLanes: 4,
    sync: {
      hours: { startMinute: 0, endMinute: 1439 },
      fileIntervalMs: 0,
      bytesPerSecond: 0,
      connections: 4,
      skipsInvalid: true,
      fetchTimeoutMs: 5000,
      sourcePatienceMs: 120_000,
    },
    mode: "both",
  };
}

/** Reporters that run, with everything that they share; `stop` ends them. */
export function reporterStage(
  to: readonly ScriptedTracker[],
  changes: StageChanges = {},
): ReporterStage {
  const given = settingsFor(to, changes.serverId ?? "");
  const trackers = [...given.trackers, ...(changes.more ?? [])];
  const { address = given.address } = changes;
  const sync = { ...given.sync, ...changes.patience };
  const settings = { ...given, sync, trackers, address, joinFrom: changes.address };
  const view = new ClusterView(settings.address);
  const counters = new StorageCounters();
  const { log, records } = collectedLog();
  const kept = changes.state ?? new MemoryState();
  kept.facts ??= changes.facts;
  const network = new NodeNetwork();
  const group = new GroupPart({
    ...{ settings, network, clock: quickClock, log, view, state: kept, ownPort: () => 23000 },
    onNews: () => {
      for (const reporter of reporters) reporter.attendSoon();
    },
    onRejoin: () => {
      for (const reporter of reporters) reporter.rejoin();
    },
  });
  const { membership } = group;
  group.sync = { ...noSyncFacts, ...changes.sync };
  const reporters: TrackerReporter[] = settings.trackers.map(
    (tracker) =>
      new TrackerReporter({
        onJoined: () => {},
        trunk: { attend: async () => {} },
        tracker,
        settings,
        network,
        clock: quickClock,
        log,
        group,
        startedSeconds: 1_700_000_500,
        port: () => 23000,
        paths: () => changes.paths ?? [storePath],
        statistics: () => ({
          values: counters.snapshot(noConnections),
          revision: counters.revision,
        }),
      }),
  );
  const stopping = new AbortController();
  const runs = reporters.map((reporter) => reporter.run(stopping.signal));
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("the test ends"));
    await Promise.all(runs);
  };
  return {
    settings,
    view,
    group,
    kept,
    membership,
    reporters,
    counters,
    events: () => records.map((record) => record.event),
    stop,
  };
}

/** Until every tracker sends clients here. */
export function allJoined(stage: ReporterStage): Promise<void> {
  return until(
    () => stage.reporters.every((reporter) => reporter.status.state === "joined"),
    "all have joined",
  );
}

export const settledFacts: MembershipFacts = {
  joinTime: 1_600_000_000,
  syncSettled: true,
  syncSource: undefined,
  syncUntil: 0,
  filled: true,
  ownAddresses: [],
};
