/** The health of the disks as a part of a node: who is asked what, and whom it is told. */
import { ignore, type Log } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { Config } from "#config/schema.ts";
import { registerDiskHealth } from "#daemon/disk-health-metrics.ts";
import type { HealthOperationParts } from "#daemon/disk-health-operations.ts";
import { type DiskNotes, diskOf } from "#daemon/shown-disks.ts";
import { DiskActivity } from "#disks/activity.ts";
import { bayOf, boardOf } from "#disks/boards/all-boards.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";
import { DiskLocator } from "#disks/disk-locator.ts";
import { DiskHealth, type DiskHealthReport } from "#disks/health/disk-health.ts";
import type { LatencyFacts } from "#disks/health/health-facts.ts";
import { healthLookMs } from "#disks/health/health-look.ts";
import { HealthTable } from "#disks/health/health-table.ts";
import type { PathOfDisk } from "#disks/health/path-faults.ts";
import type { HelperClient } from "#disks/helper-client.ts";
import { SmartInquiry } from "#disks/smart/smart-inquiry.ts";
import { directSmartReader, helperSmartReader } from "#disks/smart/smart-reader.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Database } from "#platform/databases.ts";
import type { Platform } from "#platform/platform.ts";
import type { PathScrub } from "#storage/scrub-part.ts";

const firstLookMs = 60_000;
const lookPeriodMs = 10 * 60_000;
/** smartctl has a deadline of its own within this. */
const helperSilenceMs = 45_000;

/** What this needs of a storage of the node. */
export interface HealthyStorage {
  readonly store: {
    readonly paths: readonly StorePathReport[];
    mayReadInBackground: (index: number) => boolean;
    latencyOf(index: number): LatencyFacts | undefined;
  };
  readonly storage: {
    /** `scrubs` is left out where there is nobody to scrub. */
    snapshot(): {
      readonly repair: { readonly recoveries: readonly { readonly state: string }[] };
      readonly scrubs?: readonly Pick<PathScrub, "storePath" | "begunAt" | "tally">[];
    };
  };
}

export interface NodeDiskHealthParts {
  readonly log: Log;
  readonly metrics: MetricRegistry;
  readonly database: Database;
  readonly inventory: DiskInventory;
  readonly storages: readonly HealthyStorage[];
  readonly unreadableAt?: (disk: DiskFacts) => number | undefined;
  /** Left out where there is none: then smartctl is run as a child, which works where the node is root. */
  readonly helper?: Pick<HelperClient, "ask">;
}

export interface NodeDiskHealth extends HealthOperationParts {
  readonly health: DiskHealth;
  readonly activity: DiskActivity;
  /** What `cairn disks` shows of a disk beside what the probe found. */
  notesOf(disk: DiskFacts): DiskNotes;
  stop(): void;
}

/**
 * Watches all disks where the node looks after disks by itself (`disks.manage`); else those that carry its store paths, by looks now and
 * then, so that no child runs all the time. SMART is asked by whoever may: without root the disk's report says why it tells nothing.
 */
export function startDiskHealth(
  platform: Platform,
  config: Config,
  parts: NodeDiskHealthParts,
): NodeDiskHealth {
  const { clock, host, random, commands } = platform;
  const { log, inventory, database, storages, helper } = parts;
  const table = new HealthTable(database);
  const activity = new DiskActivity(clock);
  const smart =
    helper === undefined
      ? directSmartReader(commands)
      : helperSmartReader((input) => helper.ask("smart", input, { silenceMs: helperSilenceMs }));
  const health = new DiskHealth({
    ...{ clock, log, activity, memory: table },
    inquiry: new SmartInquiry({ reader: smart, bridges: table, clock, log }),
    disks: () => inventory.disks,
    all: config.disks.manage,
    paths: () => storages.flatMap(pathsOf),
    latencyOf: (index) =>
      storages.map(({ store }) => store.latencyOf(index)).find((each) => each !== undefined),
    recovering: () => storages.some(isRecovering),
    ...(parts.unreadableAt === undefined ? {} : { unreadableAt: parts.unreadableAt }),
    settings: {
      smartMs: config.disks.smartIntervalMs,
      shortTestMs: config.disks.shortTestIntervalMs,
      longTestMs: config.disks.longTestIntervalMs,
    },
  });
  const locator = new DiskLocator({
    ...{ clock, random, commands, log },
    directoriesOn: ({ name }) =>
      storages
        .flatMap(({ store }) => placed(store.paths).map(({ directory }) => directory))
        .filter((directory) => diskOf(directory, inventory.disks)?.name === name),
    ...(helper === undefined ? {} : { led: ledOf(helper) }),
  });
  const board = boardOf(host.readText("/proc/device-tree/compatible"));
  inventory.onHealth = (look) => health.take(look);
  for (const { store } of storages) {
    store.mayReadInBackground = (index) => {
      const path = store.paths.find((each) => each.index === index);
      const disk = path === undefined ? undefined : diskOf(path.directory, inventory.disks);
      return disk === undefined || activity.mayRead(disk.name);
    };
  }
  registerDiskHealth(parts.metrics, health);
  if (storages.length > 0) health.start();
  const looks = config.disks.manage ? undefined : lookNowAndThen(clock, log, { inventory, health });
  return {
    ...{ health, activity, locator },
    look: () => inventory.look(),
    bayOf: (port) => bayOf(board, port),
    notesOf: ({ name }) => notesOf(health.reportOf(name)),
    stop: () => {
      looks?.cancel();
      locator.endAll();
      health.stop();
    },
  };
}

/** Those that have a disk: where one was pulled, the directory that is left lies on the system's. */
function placed(paths: readonly StorePathReport[]): readonly StorePathReport[] {
  return paths.filter(({ isAbsent }) => isAbsent !== true);
}

/** The first after the start has settled. The inventory ends its child by itself. */
function lookNowAndThen(
  clock: Clock,
  log: Log,
  { inventory, health }: { readonly inventory: DiskInventory; readonly health: DiskHealth },
): Timer {
  let sinceMs = clock.monotonicMs() + firstLookMs - lookPeriodMs;
  return clock.every(healthLookMs, () => {
    if (clock.monotonicMs() - sinceMs < lookPeriodMs) return;
    sinceMs = clock.monotonicMs();
    const looked = inventory.look().then(() => health.turn());
    ignore(looked, log, "what a look cannot find is told by the inventory");
  });
}

/** States in which a path serves less than it should because of its disk. */
const unserved: readonly StorePathReport["state"][] = ["quarantined", "checking", "offline"];

function pathsOf({ store, storage }: HealthyStorage): readonly PathOfDisk[] {
  const { scrubs = [] } = storage.snapshot();
  return placed(store.paths).map((path) => {
    const { index, directory, state, quarantines, abandoned, failedRequests = 0 } = path;
    const scrub = scrubs.find(({ storePath }) => storePath === index);
    const { damaged = 0, unreadable = 0, unsteady = 0 } = scrub?.tally ?? {};
    return {
      ...{ index, directory, unserved: unserved.includes(state) },
      ...{ quarantines, abandoned, failedRequests },
      scrubBegunAt: scrub?.begunAt ?? 0,
      ...{ unreadableFiles: unreadable, rottenFiles: damaged - unreadable },
      unsteadyFiles: unsteady,
    };
  });
}

function isRecovering({ storage }: HealthyStorage): boolean {
  return storage.snapshot().repair.recoveries.some(({ state }) => state !== "done");
}

function ledOf(helper: Pick<HelperClient, "ask">) {
  return async (
    { name, sequence }: Pick<DiskFacts, "name" | "sequence">,
    on: boolean,
  ): Promise<string> => {
    if (sequence === undefined) throw new Error("the kernel does not count pluggings");
    const input = { disk: name, sequence, on };
    return (await helper.ask("locate", input, { silenceMs: helperSilenceMs })).by;
  };
}

function notesOf(report: DiskHealthReport | undefined): DiskNotes {
  if (report === undefined) return {};
  const { judgement, smart, power } = report;
  return {
    verdict: judgement.verdict,
    reasons: judgement.findings.map(({ reason, advice }) => `${reason}. ${advice}`),
    // What a sleeping disk told hours ago is no temperature. One that is awake need not have anything that spins.
    ...(power === "asleep"
      ? { spinning: false }
      : { temperatureCelsius: smart?.facts.temperatureCelsius }),
  };
}
