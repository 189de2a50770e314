/**
 * Keeps one tracker informed (protocol §6.5): joins, settles who fills us while we are new, then sends beats and disk
 * reports. A lost tracker is looked for again at once and then every few seconds; meanwhile the storage serves. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type StorePathReport, takesFiles } from "#filestore/file-store.ts";
import { formatServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import { type Clock, delay } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { type ClusterView, defaultParameters, readParameters } from "#storage/cluster-view.ts";
import type { Membership } from "#storage/membership.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { TrunkReports } from "#storage/trunk-reports.ts";

const retryPauseMs = 1000;
const maxIdPages = 64;
const mebibyte = 1024 * 1024;
/** A disk report follows a change of a store path after this, so that several changes make one report. */
const reportDelayMs = 50;

export interface ReporterParts {
  readonly tracker: ServerEndpoint;
  readonly settings: StorageSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly view: ClusterView;
  readonly membership: Membership;
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
function diskUsage({ state, totalBytes, freeBytes }: StorePathReport): {
  totalMb: number;
  freeMb: number;
} {
  if (!takesFiles(state)) return { totalMb: 0, freeMb: 0 };
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
  /** There are news about trunk files. */
  #trunkDue = false;
  /** As this tracker told them. */
  #parameters = defaultParameters;
  #sentRevision = -1;
  #joinedTracker = "";
  /** The one that answered. */
  #trackerAddress = "";

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#log = parts.log;
  }

  get status(): {
    readonly tracker: string;
    readonly state: ReporterState;
    readonly problem: string;
  } {
    return {
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
        await this.#membershipOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#lost(error);
      }
      await delay(this.#parts.clock, retryPauseMs, signal).catch(() => undefined);
    }
  }

  /** A store path came or went: the tracker should know soon. */
  reportSoon(): void {
    this.#diskReportDue = this.#parts.clock.monotonicMs() + reportDelayMs;
    this.#wake?.();
  }

  /** There are news about trunk files, or numbers of them are wanted. */
  attendTrunkSoon(): void {
    this.#trunkDue = true;
    this.#wake?.();
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
    this.#state = state;
    this.#problem = problem;
  }

  async #membershipOnce(signal: AbortSignal): Promise<void> {
    const { tracker } = this.#parts;
    const client = await this.#connect(signal);
    client.onBroken = () => this.#wake?.();
    const leave = (): void => client.close();
    signal.addEventListener("abort", leave, { once: true });
    try {
      await this.#introduce(client);
      await this.#join(client);
      this.#joinedTracker = formatServerEndpoint(tracker);
      // Before the first beat: a tracker of ours takes who beats without having asked for a C storage.
      await this.#attendTrunk(client);
      await this.#beat(client, signal);
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

  /** Learns the cluster's parameters and under which address and id it knows us. */
  async #introduce(client: FrameClient): Promise<void> {
    const { settings, view } = this.#parts;
    const port = this.#parts.port();
    const own = await client.call(trackerLookups.getMyIp, { group: settings.group, port });
    const seen = own.addresses[0];
    if (seen !== undefined) view.learnAddress(seen);
    const { parameters } = await client.call(trackerLookups.requestParameters, undefined);
    const read = readParameters(parameters);
    this.#parameters = read;
    view.learnParameters(read);
    if (!read.usesStorageIds) {
      view.learnIds([], undefined);
      return;
    }
    view.learnIds(await this.#fetchIds(client), await this.#ownId(client, seen));
  }

  async #fetchIds(client: FrameClient): Promise<StorageIdEntry[]> {
    const entries: StorageIdEntry[] = [];
    for (let page = 0; page < maxIdPages; page += 1) {
      const request = { startIndex: entries.length, allowEmpty: true };
      const found = await client.call(trackerLookups.fetchStorageIds, request);
      entries.push(...found.entries);
      if (entries.length >= found.totalCount || found.entries.length === 0) break;
    }
    return entries;
  }

  async #ownId(client: FrameClient, seen: string | undefined): Promise<StorageId | undefined> {
    const { settings } = this.#parts;
    if (isStorageId(settings.serverId)) return settings.serverId;
    const server = { address: seen ?? settings.address, port: this.#parts.port() };
    const { id } = await client.call(trackerLookups.getStorageId, {
      group: settings.group,
      server,
    });
    return id;
  }

  async #join(client: FrameClient): Promise<void> {
    const { settings, membership, view } = this.#parts;
    const { facts } = membership;
    const joining = client.call(trackerReports.storageJoin, {
      group: settings.group,
      port: this.#parts.port(),
      storePathCount: this.#parts.paths().length,
      subdirCount: settings.subdirCount,
      uploadPriority: settings.uploadPriority,
      joinTime: facts.joinTime,
      upTime: this.#parts.startedSeconds,
      version: settings.version,
      initializing: !facts.syncSettled,
      status: this.#ownStatus(),
      id: view.ownId,
      trackerAddress: this.#trackerAddress,
      trackers: settings.trackers,
    });
    const { status } = await this.#answered(joining);
    await membership.settleOnce(() => this.#askForSource(client));
    await this.#notify(client, status);
  }

  /** What we are, as far as we know: a tracker that has forgotten us goes by it (protocol §2.4/81). */
  #ownStatus(): number {
    const { settings, view } = this.#parts;
    const known = view.ownStatus(this.#parts.port());
    if (known !== undefined) return known;
    const { length } = settings.trackers;
    return length === 1 || view.joinsAnswered >= length ? storageStatus.init : -1;
  }

  async #answered<Reply>(joining: Promise<Reply>): Promise<Reply> {
    const { view, tracker } = this.#parts;
    try {
      const reply = await joining;
      view.learnJoinAnswer(formatServerEndpoint(tracker));
      return reply;
    } catch (error) {
      if (error instanceof WireStatusError) view.learnJoinAnswer(formatServerEndpoint(tracker));
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
  async #notify(client: FrameClient, status: StorageStatus): Promise<void> {
    const { membership } = this.#parts;
    const { syncSource: source, syncUntil: until } = membership.facts;
    try {
      await client.call(trackerReports.notifySyncSource, { source, until });
    } catch (error) {
      const gone = error instanceof WireStatusError && error.status === wireStatus.notFound;
      if (!gone || !this.#isLeading()) throw error;
      // The source has left the cluster. Where it had not filled us, somebody else must.
      if (status < storageStatus.offline) {
        membership.reopen();
        throw error;
      }
      membership.settle(undefined, 0);
      await client.call(trackerReports.notifySyncSource, { source: undefined, until: 0 });
    }
  }

  /** A tracker that only follows may not have heard of a storage that is well. */
  #isLeading(): boolean {
    const { settings, tracker, view } = this.#parts;
    if (settings.trackers.length === 1) return true;
    const { leader } = view;
    if (leader === undefined) return false;
    return leader.port === tracker.port && tracker.addresses.includes(leader.address);
  }

  async #beat(client: FrameClient, signal: AbortSignal): Promise<void> {
    const { clock, settings, view } = this.#parts;
    let beatDue = 0;
    this.#diskReportDue = 0;
    this.#sentRevision = -1;
    while (!signal.aborted) {
      const now = clock.monotonicMs();
      if (now >= beatDue) {
        const { values, revision } = this.#parts.statistics();
        const statistics = revision === this.#sentRevision ? undefined : values;
        view.learnChanges(await client.call(trackerReports.storageBeat, { statistics }));
        this.#sentRevision = revision;
        beatDue = now + settings.heartBeatIntervalMs;
        this.#trunkDue = true;
      }
      if (this.#trunkDue) await this.#attendTrunk(client);
      if (now >= this.#diskReportDue) {
        this.#diskReportDue = now + settings.diskReportIntervalMs;
        const storePaths = this.#parts.paths().map(diskUsage);
        view.learnChanges(await client.call(trackerReports.reportDiskUsage, { storePaths }));
        this.#isKnown();
      }
      if (signal.aborted) return;
      if (this.#trunkDue) continue;
      await this.#pause(client, Math.min(beatDue, this.#diskReportDue) - clock.monotonicMs());
    }
  }

  async #attendTrunk(client: FrameClient): Promise<void> {
    this.#trunkDue = false;
    const { trunk: parameters } = this.#parameters;
    await this.#parts.trunk.attend({ client, parameters, leads: this.#isLeading() });
  }

  /** The tracker has our beat and our free space: it sends clients here from now on. */
  #isKnown(): void {
    if (this.#state === "joined") return;
    this.#state = "joined";
    this.#log.notice("tracker-joined", { tracker: this.#joinedTracker });
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
