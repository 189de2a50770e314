/**
 * Several tracker roles in one process, each on a loopback address, a database and a clock of its own, and storages of our kind that talk to all of
 * them through the same declarations: they join, beat, report what they hold, believe whom the replies name as leader, and complain
 * when two are named. Lines between any two addresses can be cut, trackers killed, paused, started again.
 */
import { present } from "#base/assert.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { formatEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import { GroupName } from "#model/group-name.ts";
import { readWriteMode } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Database } from "#platform/databases.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import { getLeader } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { reportDiskUsage, storageBeat, storageJoin } from "#protocol/fastdfs/tracker-reports.ts";
import { reportHeld } from "#protocol/peer/report-held.ts";
import { leaseTrunkFiles } from "#protocol/peer/trunk-lease.ts";
import { type RunningTracker, TrackerRole } from "#tracker/tracker-role.ts";
import { defaultTrackerSettings } from "#tracker/tracker-settings.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";
import { Cables, FaultyNetwork } from "./faulty-network.ts";
import { memoryState } from "./tracker-harness.ts";

const group = GroupName("group1");
const port = 22_122;
const reportPeriodMs = 200;

/** Stands still for its owner while it is paused. */
class PausableClock implements Clock {
  offsetMs = 0;
  paused = false;
  readonly #waiting: (() => void)[] = [];
  nowMs = (): number => nodeClock.nowMs() + this.offsetMs;
  monotonicMs = (): number => nodeClock.monotonicMs() + this.offsetMs;
  after = (delayMs: number, task: () => void): Timer => nodeClock.after(delayMs, this.#held(task));
  every = (periodMs: number, task: () => void): Timer =>
    nodeClock.every(periodMs, () => {
      if (!this.paused) task();
    });

  resume(): void {
    this.paused = false;
    for (const task of this.#waiting.splice(0)) task();
  }

  #held(task: () => void): () => void {
    return () => {
      if (this.paused) this.#waiting.push(task);
      else task();
    };
  }
}

export class ClusterTracker {
  readonly address: string;
  readonly records: LogRecord[] = [];
  readonly database: Database = memoryState();
  readonly clock = new PausableClock();
  readonly #network: FaultyNetwork;
  #running: RunningTracker | undefined;

  constructor(address: string, cables: Cables) {
    this.address = address;
    this.#network = new FaultyNetwork(cables);
  }

  get isRunning(): boolean {
    return this.#running !== undefined && !this.clock.paused;
  }

  get running(): RunningTracker {
    return present(this.#running, "a tracker that runs");
  }

  async start(): Promise<void> {
    const settings = {
      ...defaultTrackerSettings,
      addresses: [this.address],
      port,
      stopDeadlineMs: 100,
    };
    const role = new TrackerRole(settings, {
      network: this.#network,
      clock: this.clock,
      random: nodeRandom(),
      log: new Log("tracker", (record) => this.records.push(record)),
      state: new TrackerTable(this.database),
      admits: () => true,
    });
    this.#running = await role.start(new AbortController().signal);
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.[Symbol.asyncDispose]();
  }

  pause(): void {
    this.clock.paused = true;
    this.#network.freeze(true);
  }

  resume(): void {
    this.#network.freeze(false);
    this.clock.resume();
  }
}

/** One storage; `leaders` is whom each tracker names, by the tracker's address. */
export class ClusterStorage {
  readonly address: string;
  readonly leaders = new Map<string, string>();
  /** Numbers of trunk files that it was given. */
  readonly leased: number[] = [];
  greedy = false;
  complaints = 0;
  trackers: readonly string[];
  readonly #network: FaultyNetwork;
  readonly #clients = new Map<string, FrameClient>();
  readonly #busy = new Set<string>();
  #timer: Timer | undefined;

  constructor(address: string, trackers: readonly string[], cables: Cables) {
    this.address = address;
    this.trackers = trackers;
    this.#network = new FaultyNetwork(cables);
  }

  begin(): void {
    this.#timer = nodeClock.every(reportPeriodMs, () => {
      for (const tracker of this.trackers) void this.#attend(tracker);
    });
  }

  /** Joins anew everywhere, with what it knows of the trackers now. */
  restart(trackers: readonly string[]): void {
    this.trackers = trackers;
    for (const tracker of this.#clients.keys()) this.#leave(tracker);
  }

  stop(): void {
    this.#timer?.cancel();
    for (const tracker of this.#clients.keys()) this.#leave(tracker);
  }

  /** True when every tracker that says anything of a leader says this one. */
  believes(leader: string): boolean {
    return this.leaders.size > 0 && [...this.leaders.values()].every((each) => each === leader);
  }

  async #attend(tracker: string): Promise<void> {
    if (this.#busy.has(tracker)) return;
    this.#busy.add(tracker);
    try {
      const client = this.#clients.get(tracker) ?? (await this.#join(tracker));
      this.#learn(tracker, await client.call(reportHeld, this.#report()));
      if (this.greedy) await this.#lease(client);
    } catch {
      this.#leave(tracker);
    } finally {
      this.#busy.delete(tracker);
    }
  }

  async #join(tracker: string): Promise<FrameClient> {
    const client = await this.#connect(tracker);
    this.#clients.set(tracker, client);
    await client.call(storageJoin, {
      group,
      port: 23_000,
      storePathCount: 1,
      subdirCount: 256,
      uploadPriority: 10,
      joinTime: 1_700_000_000,
      upTime: 1_700_000_001,
      version: "6.16.1",
      initializing: false,
      status: 7,
      id: undefined,
      trackerAddress: tracker,
      trackers: this.trackers.map((address): ServerEndpoint => ({ addresses: [address], port })),
    });
    this.#learn(tracker, await client.call(reportHeld, this.#report()));
    this.#learn(tracker, await client.call(storageBeat, { statistics: undefined }));
    const storePaths = [{ totalMb: 10_000, freeMb: 5000 }];
    this.#learn(tracker, await client.call(reportDiskUsage, { storePaths }));
    return client;
  }

  async #lease(client: FrameClient): Promise<void> {
    try {
      const lease = await client.call(leaseTrunkFiles, { group, wanted: 20 });
      for (let at = 0; at < lease.count; at += 1) this.leased.push(lease.first + at);
    } catch (error) {
      // A follower refuses.
      if ((error as { status?: number }).status === undefined) throw error;
    }
  }

  #learn(tracker: string, { leader }: ChangeReport): void {
    if (leader === undefined) return;
    if (leader === "none") this.leaders.delete(tracker);
    else this.leaders.set(tracker, leader.address);
    const named = new Set(this.leaders.values());
    if (named.size < 2) return;
    this.leaders.clear();
    for (const each of named) void this.#complain(each);
  }

  async #complain(leader: string): Promise<void> {
    this.complaints += 1;
    try {
      const client = await this.#connect(leader);
      await client
        .call(trackerCluster.notifyReselectLeader, undefined)
        .finally(() => client.destroy());
    } catch {
      // It does not lead any more, or is gone.
    }
  }

  #report(): Parameters<typeof reportHeld.request.encode>[0] {
    return { group, id: this.address, ownClock: 1, mode: readWriteMode.both, entries: [] };
  }

  #connect(tracker: string): Promise<FrameClient> {
    return FrameClient.connect(
      { address: tracker, port, timeoutMs: 1000, from: this.address },
      { network: this.#network, clock: nodeClock, networkTimeoutMs: 1000 },
    );
  }

  #leave(tracker: string): void {
    this.#clients.get(tracker)?.destroy();
    this.#clients.delete(tracker);
    this.leaders.delete(tracker);
  }
}

export class TrackerCluster implements AsyncDisposable {
  readonly cables = new Cables();
  readonly trackers: ClusterTracker[] = [];
  readonly storages: ClusterStorage[] = [];
  readonly #net: string;

  /** `net` is the third byte of all addresses, so that tests beside this one have others. */
  private constructor(net: number) {
    this.#net = `127.22.${net}`;
  }

  static async start(net: number, count: number, storages = 2): Promise<TrackerCluster> {
    const cluster = new TrackerCluster(net);
    for (let at = 0; at < count; at += 1) await cluster.addTracker();
    for (let at = 0; at < storages; at += 1) cluster.addStorage();
    return cluster;
  }

  async addTracker(): Promise<ClusterTracker> {
    const tracker = new ClusterTracker(`${this.#net}.${this.trackers.length + 1}`, this.cables);
    this.trackers.push(tracker);
    await tracker.start();
    return tracker;
  }

  addStorage(trackers = this.addresses): ClusterStorage {
    const address = `${this.#net}.${this.storages.length + 101}`;
    const storage = new ClusterStorage(address, trackers, this.cables);
    this.storages.push(storage);
    storage.begin();
    return storage;
  }

  get addresses(): readonly string[] {
    return this.trackers.map(({ address }) => address);
  }

  tracker(address: string): ClusterTracker {
    return present(
      this.trackers.find((tracker) => tracker.address === address),
      "the tracker",
    );
  }

  /** Who leads, as it says itself. */
  leaders(): readonly string[] {
    return this.trackers.flatMap((tracker) =>
      tracker.isRunning && tracker.running.snapshot().isLeader ? [tracker.address] : [],
    );
  }

  /** The address of the leader on whom all trackers that run and all storages agree; undefined while they do not. */
  agreed(): string | undefined {
    const [leader, ...more] = this.leaders();
    if (leader === undefined || more.length > 0) return undefined;
    const key = formatEndpoint({ address: leader, port });
    const running = this.trackers.filter(({ isRunning }) => isRunning);
    const agree =
      running.every((tracker) => leaderOf(tracker.running.snapshot()) === key) &&
      this.storages.every((storage) => storage.believes(leader));
    return agree ? leader : undefined;
  }

  /** Resolves with the leader. */
  async agreement(limitMs = 20_000): Promise<string> {
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 50) {
      const leader = this.agreed();
      if (leader !== undefined) return leader;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no agreement within ${limitMs} ms: ${this.describe()}`);
  }

  async client(tracker: string): Promise<FrameClient> {
    return FrameClient.connect(
      { address: tracker, port, timeoutMs: 1000, from: `${this.#net}.99` },
      { network: new FaultyNetwork(this.cables), clock: nodeClock, networkTimeoutMs: 1000 },
    );
  }

  /** Whom a tracker names when it is asked; undefined where it names nobody. */
  async namedBy(tracker: string): Promise<string | undefined> {
    const client = await this.client(tracker);
    try {
      return (await client.call(getLeader, undefined)).leader.address;
    } catch {
      return undefined;
    } finally {
      client.destroy();
    }
  }

  describe(): string {
    const lines = this.trackers.map((tracker) =>
      tracker.isRunning ? `${tracker.address}: ${leaderOf(tracker.running.snapshot())}` : "down",
    );
    const views = this.storages.map(({ leaders }) => [...leaders.values()].join());
    return `${lines.join("; ")}; storages: ${views.join(" | ")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const storage of this.storages) storage.stop();
    await Promise.all(
      this.trackers.map(async (tracker) => {
        tracker.resume();
        await tracker.kill();
        tracker.database.close();
      }),
    );
  }
}

function leaderOf(snapshot: ReturnType<RunningTracker["snapshot"]>): string | undefined {
  return snapshot.leadership.leader;
}
