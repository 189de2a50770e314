/**
 * A tracker role on a free loopback port, and storages that speak to it through the same declarations. The state is a database
 * in memory unless a test passes one in; the clock is the real one with an offset that a test may move.
 */
import { present } from "#base/assert.ts";
import { Log, type LogRecord } from "#base/log.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import { GroupName } from "#model/group-name.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Database } from "#platform/databases.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import {
  type JoinRequest,
  reportDiskUsage,
  storageBeat,
  storageJoin,
} from "#protocol/fastdfs/tracker-reports.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { statisticsSavePeriodMs } from "#tracker/limits.ts";
import { type RunningTracker, type TrackerParts, TrackerRole } from "#tracker/tracker-role.ts";
import { defaultTrackerSettings, type TrackerSettings } from "#tracker/tracker-settings.ts";
import type { TrackerState } from "#tracker/tracker-state.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";

const network = new NodeNetwork();

export class MovableClock implements Clock {
  offsetMs = 0;
  nowMs = (): number => nodeClock.nowMs() + this.offsetMs;
  monotonicMs = (): number => nodeClock.monotonicMs() + this.offsetMs;
  after = nodeClock.after;
  readonly #periodic = new Map<number, () => void>();

  every = (periodMs: number, task: () => void): Timer => {
    this.#periodic.set(periodMs, task);
    return nodeClock.every(periodMs, task);
  };

  /** Runs the task of that period now. */
  run(periodMs: number): void {
    this.#periodic.get(periodMs)?.();
  }
}

export interface HarnessOptions {
  readonly settings?: Partial<TrackerSettings>;
  readonly database?: Database;
  /** Instead of a table in `database`. */
  readonly state?: TrackerState;
  readonly admits?: (address: string) => boolean;
  readonly inheritance?: NonNullable<TrackerParts["inheritance"]>;
}

export class TrackerHarness implements AsyncDisposable {
  readonly clock = new MovableClock();
  readonly records: LogRecord[] = [];
  readonly database: Database;
  readonly #clients: FrameClient[] = [];
  #tracker: RunningTracker | undefined;
  readonly #ownsDatabase: boolean;

  private constructor(database: Database | undefined) {
    this.#ownsDatabase = database === undefined;
    this.database = database ?? memoryState();
  }

  static async start(options: HarnessOptions = {}): Promise<TrackerHarness> {
    const harness = new TrackerHarness(options.database);
    const settings = {
      ...defaultTrackerSettings,
      addresses: ["127.0.0.1"],
      port: 0,
      stopDeadlineMs: 300,
      reservedSpace: { kind: "bytes", bytes: 100 * 1024 ** 2 },
      ...options.settings,
    } as const;
    const role = new TrackerRole(settings, {
      network,
      clock: harness.clock,
      random: nodeRandom(),
      log: new Log("tracker", (record) => harness.records.push(record)),
      state: options.state ?? new TrackerTable(harness.database),
      admits: options.admits ?? (() => true),
      ...(options.inheritance === undefined ? {} : { inheritance: options.inheritance }),
    });
    harness.#tracker = await role.start(new AbortController().signal);
    return harness;
  }

  get tracker(): RunningTracker {
    return present(this.#tracker, "the running tracker");
  }

  get port(): number {
    return present(this.tracker.listeners[0], "a listener").port;
  }

  get endpoint(): ServerEndpoint {
    return { addresses: ["127.0.0.1"], port: this.port };
  }

  /** Events of the log, such as `storage-status`. */
  events(): readonly string[] {
    return this.records.map((record) => record.event);
  }

  /** A client which the tracker sees at `from`, an address of 127.0.0.0/8. */
  async client(from = "127.0.0.1", port = this.port): Promise<FrameClient> {
    const client = await FrameClient.connect(
      { address: "127.0.0.1", port, timeoutMs: 2000, from },
      { network, clock: nodeClock, networkTimeoutMs: 5000 },
    );
    this.#clients.push(client);
    return client;
  }

  /** A storage at `from` that has joined. */
  async joined(from: string, given: Partial<JoinRequest> = {}): Promise<FrameClient> {
    const client = await this.client(from);
    await client.call(storageJoin, this.join(given));
    return client;
  }

  /** A storage at `from` that is ACTIVE and has `freeMb` in each of its store paths. */
  async active(
    from: string,
    given: Partial<JoinRequest> & { readonly freeMb?: number } = {},
  ): Promise<FrameClient> {
    const { freeMb = 5000, ...join } = given;
    const client = await this.joined(from, { initializing: false, status: 7, ...join });
    await beat(client);
    const count = join.storePathCount ?? 2;
    const storePaths = Array.from({ length: count }, () => ({ totalMb: 10_000, freeMb }));
    await client.call(reportDiskUsage, { storePaths });
    return client;
  }

  join(given: Partial<JoinRequest> = {}): JoinRequest {
    return {
      group: GroupName("group1"),
      port: 23000,
      storePathCount: 2,
      subdirCount: 256,
      uploadPriority: 10,
      joinTime: 1_700_000_000,
      upTime: 1_700_000_001,
      version: "6.16.1",
      initializing: true,
      status: 0,
      id: undefined,
      trackerAddress: "127.0.0.1",
      trackers: [this.endpoint],
      ...given,
    };
  }

  /** Writes the statistics that wait, as the tracker does every ten seconds. */
  flush(): void {
    this.clock.run(statisticsSavePeriodMs);
  }

  /** What the tracker thinks of a storage, by its id. */
  statusOf(id: string): number | undefined {
    const storages = this.tracker.snapshot().groups.flatMap((group) => group.storages);
    return storages.find((storage) => storage.id === id)?.status;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    await this.#tracker?.[Symbol.asyncDispose]();
    this.#tracker = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDatabase) this.database.close();
  }
}

export function memoryState(): Database {
  return openStateDatabase(nodeDatabases(), ":memory:", new Log("state", () => {}));
}

export function beat(client: FrameClient): Promise<ChangeReport> {
  return client.call(storageBeat, { statistics: undefined });
}

/** The status of the refusal, or 0 when there was none. */
export async function refusal(reply: Promise<unknown>): Promise<number> {
  try {
    await reply;
    return 0;
  } catch (error) {
    const { status } = error as { readonly status?: number };
    if (status === undefined) throw error;
    return status;
  }
}

/** Waits until `condition` holds. */
export async function eventually(condition: () => boolean, limitMs = 2000): Promise<void> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 10) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not come to pass within ${limitMs} ms`);
}
