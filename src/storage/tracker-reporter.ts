/**
 * Keeps one tracker informed (protocol §6.5): joins, settles who fills us while we are new, then sends beats, disk reports and
 * whatever else there is to say. A lost tracker is looked for again at once and then every few seconds; meanwhile the storage serves. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type StorePathReport, takesFiles } from "#filestore/file-store.ts";
import { formatServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import type { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { defaultParameters } from "#storage/cluster-view.ts";
import { type GroupPart, trackerKey } from "#storage/group-part.ts";
import { GroupReports } from "#storage/group-reports.ts";
import { isGone } from "#storage/peer-directory.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { explained, introduce } from "#storage/tracker-introduction.ts";
import type { TrunkReports } from "#storage/trunk-reports.ts";

const retryPauseMs = 1000;
const mebibyte = 1024 * 1024;
const noDisk = "this node has no disk yet: plug one in, and give it to the node";
/** A disk report follows a change of a store path after this, so that several changes make one report. */
const reportDelayMs = 50;

export interface ReporterParts {
  readonly tracker: ServerEndpoint;
  readonly settings: StorageSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly group: GroupPart;
  readonly startedSeconds: number;
  readonly port: () => number;
  readonly paths: () => readonly StorePathReport[];
  /** Called whenever a tracker has come to know us. */
  readonly onJoined: () => void;
  readonly statistics: () => { readonly values: StorageStatistics; readonly revision: number };
  /** What there is to say about trunk files, after the join and after each beat. */
  readonly trunk: Pick<TrunkReports, "attend">;
}

/** A path that takes no files has no room, used or free: else its share would count in the tracker's reserve and choices. */
function diskUsage(path: StorePathReport): { totalMb: number; freeMb: number } {
  const { state, totalBytes, freeBytes, takesNoFiles, isBrief } = path;
  const isThere = takesFiles(state) || isBrief === true;
  if (!isThere || takesNoFiles !== undefined) return { totalMb: 0, freeMb: 0 };
  return {
    totalMb: Math.floor(totalBytes / mebibyte),
    freeMb: Math.floor(freeBytes / mebibyte),
  };
}

export type ReporterState = "connecting" | "joined" | "refused";

export class TrackerReporter {
  readonly #parts: ReporterParts;
  readonly #log: Log;
  #state: ReporterState = "connecting";
  #problem = "not asked yet";
  #wake: (() => void) | undefined;
  #diskReportDue = 0;
  /** There are news, about trunk files or about the group. */
  #newsDue = false;
  #rejoin = false;
  /** Store paths that this tracker knows of. */
  #joinedPaths = 0;
  /** It refused a report of so many disks: the group has fewer store paths, and C counts those (protocol §2.4/84). */
  #groupPaths: "as here" | "to be asked" | number = "as here";
  /** As this tracker told them. */
  #parameters = defaultParameters;
  #sentRevision = -1;
  /** Unix seconds: since when the state is what it is. */
  #since: number;
  /** The one that answered. */
  #trackerAddress = "";

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#since = nowSeconds(parts.clock);
  }

  get status(): {
    readonly tracker: string;
    readonly state: ReporterState;
    readonly problem: string;
    readonly since: number;
  } {
    return {
      since: this.#since,
      tracker: formatServerEndpoint(this.#parts.tracker),
      state: this.#state,
      problem: this.#state === "joined" ? "" : this.#problem,
    };
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
    while (!signal.aborted) {
      try {
        await this.#untilThereIsADisk(signal);
        await this.#membershipOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#lost(error);
      }
      if (this.#hasOtherPaths && this.#state === "joined") continue;
      const pauseMs = Math.max(retryPauseMs, this.#parts.group.joinPauseMs);
      await delay(this.#parts.clock, pauseMs, signal).catch(() => undefined);
    }
  }

  /** A store path came or went: the tracker should know soon. */
  reportSoon(): void {
    this.#diskReportDue = this.#parts.clock.monotonicMs() + reportDelayMs;
    this.#wake?.();
  }

  /** There is something to say, about trunk files or about the group. */
  attendSoon(): void {
    this.#newsDue = true;
    this.#wake?.();
  }

  /** What the tracker was told when it was joined is not true any more. */
  rejoin(): void {
    this.#rejoin = true;
    this.#wake?.();
  }

  /** Without a store path there is nothing to join with (protocol §2.4/81, step 1). */
  async #untilThereIsADisk(signal: AbortSignal): Promise<void> {
    while (this.#parts.paths().length === 0 && !signal.aborted) {
      this.#problem = noDisk;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    signal.throwIfAborted();
  }

  get #hasOtherPaths(): boolean {
    return this.#joinedPaths > 0 && this.#parts.paths().length !== this.#joinedPaths;
  }

  #lost(error: unknown): void {
    const problem = describeError(error);
    const state = error instanceof WireStatusError ? "refused" : "connecting";
    if (this.#state === "joined" || problem !== this.#problem) {
      this.#log.warn("tracker-lost", {
        tracker: formatServerEndpoint(this.#parts.tracker),
        problem,
      });
    }
    if (this.#state !== state) this.#since = nowSeconds(this.#parts.clock);
    this.#state = state;
    this.#problem = problem;
    this.#parts.group.trackerLost(trackerKey(this.#parts.tracker));
  }

  async #membershipOnce(signal: AbortSignal): Promise<void> {
    const { tracker } = this.#parts;
    const client = await this.#connect(signal);
    client.onBroken = () => this.#wake?.();
    const leave = (): void => client.close();
    signal.addEventListener("abort", leave, { once: true });
    try {
      const { settings, log, group, port, clock } = this.#parts;
      const introduction = await introduce(client, { settings, log, group, port });
      this.#parameters = introduction.parameters;
      if (group.joinPauseMs > 0) {
        throw new Error("this storage was deleted, and joins again when the others have noticed");
      }
      do {
        this.#rejoin = false;
        await this.#join(client);
        const leads = (): boolean => group.leads(tracker);
        const reports = new GroupReports({
          ...{ client, settings, log, group, port, clock, leads, ...introduction },
          tracker: trackerKey(tracker),
        });
        // Before the first beat: a tracker of ours takes who beats without having asked for a C storage.
        await this.#attendTrunk(client);
        await this.#beat(client, reports, signal);
        // A tracker of ours goes on with a storage that joins again; C's is told by a new connection.
      } while (this.#hasOtherPaths && !this.#rejoin && this.#parameters.cairn && !signal.aborted);
    } finally {
      signal.removeEventListener("abort", leave);
      client.close();
    }
  }

  /** By any of the tracker's addresses; the last failure is told when none answers. */
  async #connect(signal: AbortSignal): Promise<FrameClient> {
    const { tracker, settings, network, clock } = this.#parts;
    const { port } = tracker;
    const from = settings.joinFrom === undefined ? {} : { from: settings.joinFrom };
    let failure: unknown = new Error("the tracker has no address");
    for (const address of tracker.addresses) {
      try {
        const client = await FrameClient.connect(
          { address, port, timeoutMs: settings.connectTimeoutMs, ...from },
          { network, clock, networkTimeoutMs: settings.networkTimeoutMs },
          signal,
        );
        this.#trackerAddress = address;
        return client;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #join(client: FrameClient): Promise<void> {
    const { settings, group, tracker } = this.#parts;
    const { membership, view } = group;
    const storePathCount = this.#parts.paths().length;
    const joining = client.call(trackerReports.storageJoin, {
      group: settings.group,
      port: this.#parts.port(),
      storePathCount,
      subdirCount: settings.subdirCount,
      uploadPriority: settings.uploadPriority,
      joinTime: membership.facts.joinTime,
      upTime: this.#parts.startedSeconds,
      version: settings.version,
      initializing: !membership.own.settled,
      status: this.#ownStatus(),
      id: view.ownId,
      trackerAddress: this.#trackerAddress,
      trackers: settings.trackers,
    });
    const who = { group: settings.group, address: view.ownAddress, port: this.#parts.port() };
    const { serverId } = settings;
    const answer = this.#answered(joining);
    const { status } = await explained(answer, { ...who, serverId }, view.storageIds);
    this.#joinedPaths = storePathCount;
    group.trackerJoined(trackerKey(tracker), status, group.leads(tracker));
    await membership.settleOnce(() => this.#askForSource(client));
    await this.#notify(client);
  }

  /** What we are, as far as we know: a tracker that has forgotten us goes by it (protocol §2.4/81). */
  #ownStatus(): number {
    const { settings, group } = this.#parts;
    const { own } = group.membership;
    const known = group.view.ownStatus(this.#parts.port());
    if (own.settled && known !== undefined && !isGone(known)) return known;
    const { length } = settings.trackers;
    return length === 1 || group.view.joinsAnswered >= length ? storageStatus.init : -1;
  }

  async #answered<Reply>(joining: Promise<Reply>): Promise<Reply> {
    const { group, tracker } = this.#parts;
    try {
      const reply = await joining;
      group.view.learnJoinAnswer(trackerKey(tracker));
      return reply;
    } catch (error) {
      if (error instanceof WireStatusError) group.view.learnJoinAnswer(trackerKey(tracker));
      throw error;
    }
  }

  async #askForSource(
    client: FrameClient,
  ): Promise<{ readonly source: StorageId; readonly until: number } | undefined> {
    const { sync } = await client.call(trackerReports.requestSyncSource, undefined);
    if (sync !== undefined) {
      this.#log.notice("group-has-files", { source: sync.source, until: sync.until });
    }
    return sync;
  }

  /** Tells this tracker what was settled, maybe with another one. */
  async #notify(client: FrameClient): Promise<void> {
    const { group, tracker } = this.#parts;
    const { own } = group.membership;
    // Whom nobody fills any more waits for nobody: a tracker that does not know us, as after a change of all addresses, would wait for ever.
    const { source, until } = own.filled ? { source: undefined, until: 0 } : own;
    try {
      await client.call(trackerReports.notifySyncSource, { source, until });
    } catch (error) {
      const gone = error instanceof WireStatusError && error.status === wireStatus.notFound;
      // A tracker that only follows may not have heard of a storage that is well.
      if (!gone || !group.leads(tracker)) throw error;
      await this.#sourceGone(client, error);
    }
  }

  /** The source has left the cluster. Where it had not filled us, somebody else must (protocol §6.5 step 3). */
  async #sourceGone(client: FrameClient, error: WireStatusError): Promise<void> {
    const { group } = this.#parts;
    const { membership } = group;
    const highest = await this.#parts.group.highestStatus();
    if (highest !== undefined && highest >= storageStatus.offline) {
      membership.apply({ name: "listed", status: highest });
    }
    const { source: gone } = membership.own;
    const { sync } = await client.call(trackerReports.querySyncSource, undefined);
    if (sync === undefined || sync.source === gone) group.sourceGone();
    else {
      membership.apply({ name: "source-gone" });
      membership.apply({ name: "source-decided", ...sync });
    }
    if (!membership.own.settled || membership.own.source !== undefined) throw error;
    await client.call(trackerReports.notifySyncSource, { source: undefined, until: 0 });
  }

  async #beat(client: FrameClient, reports: GroupReports, signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#parts;
    let beatDue = 0;
    this.#diskReportDue = 0;
    this.#sentRevision = -1;
    this.#newsDue = true;
    // A tracker takes whoever beats without having said so for one of C's, and would judge by clocks what we hold.
    await reports.introduce();
    while (!signal.aborted && !this.#rejoin && !this.#hasOtherPaths) {
      const now = clock.monotonicMs();
      if (now >= beatDue) {
        beatDue = now + settings.heartBeatIntervalMs;
        await this.#beatOnce(client, reports);
      }
      if (this.#newsDue || now >= reports.dueMs) {
        const trunk = this.#newsDue;
        this.#newsDue = false;
        if (trunk) await this.#attendTrunk(client);
        await reports.attend();
      }
      if (now >= this.#diskReportDue) {
        this.#diskReportDue = now + settings.diskReportIntervalMs;
        await this.#reportDisks(client, reports);
        this.#isKnown();
      }
      if (signal.aborted || this.#rejoin || this.#hasOtherPaths) return;
      if (this.#newsDue) continue;
      const due = Math.min(beatDue, this.#diskReportDue, reports.dueMs);
      await this.#pause(client, due - clock.monotonicMs());
    }
  }

  async #reportDisks(client: FrameClient, reports: GroupReports): Promise<void> {
    const all = this.#parts.paths().slice(0, this.#joinedPaths).map(diskUsage);
    if (this.#groupPaths === "to be asked") {
      const { group } = this.#parts.settings;
      const { storePathCount } = await client.call(trackerAdmin.listOneGroup, { group });
      this.#groupPaths = Math.max(1, storePathCount);
    }
    const storePaths = this.#groupPaths === "as here" ? all : all.slice(0, this.#groupPaths);
    try {
      reports.learn(await client.call(trackerReports.reportDiskUsage, { storePaths }));
    } catch (error) {
      const isCount = error instanceof WireStatusError && error.status === wireStatus.invalid;
      if (isCount && all.length > 1) this.#groupPaths = "to be asked";
      throw error;
    }
  }

  async #beatOnce(client: FrameClient, reports: GroupReports): Promise<void> {
    const { values, revision } = this.#parts.statistics();
    const statistics = revision === this.#sentRevision ? undefined : values;
    reports.learn(await client.call(trackerReports.storageBeat, { statistics }));
    this.#sentRevision = revision;
    await reports.afterBeat();
    this.#newsDue = true;
  }

  async #attendTrunk(client: FrameClient): Promise<void> {
    const { group, tracker } = this.#parts;
    const { trunk: parameters } = this.#parameters;
    await this.#parts.trunk.attend({ client, parameters, leads: group.leads(tracker) });
  }

  /** The tracker has our beat and our free space: it sends clients here from now on. */
  #isKnown(): void {
    if (this.#state === "joined") return;
    this.#state = "joined";
    this.#since = nowSeconds(this.#parts.clock);
    this.#log.notice("tracker-joined", { tracker: trackerKey(this.#parts.tracker) });
    this.#parts.onJoined();
  }

  /** Until `ms` have passed, something is to be reported, or the tracker has gone. */
  async #pause(client: FrameClient, ms: number): Promise<void> {
    if (ms > 0 && client.usable) {
      await new Promise<void>((resolve) => {
        const timer = this.#parts.clock.after(ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    if (!client.usable) throw new Error("the tracker closed the connection");
  }
}
