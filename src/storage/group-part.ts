/**
 * Everything of a storage that has to do with being a member of its group, for all trackers together: what it is itself, what it knows of
 * the others, what the trackers still have to hear. The reporters, one a tracker, feed it and ask it; replication uses it by
 * `reportStatusOf`, `sourceOf`, `view` and `SyncFacts`. Main thread.
 */
import { ignore, type Log } from "#base/log.ts";
import { type Endpoint, formatServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { type ChangeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import { getTrackerStatus, notifyReselectLeader } from "#protocol/fastdfs/tracker-cluster.ts";
import { getStorageStatus } from "#protocol/fastdfs/tracker-lookups.ts";
import { requestSyncSourceOf } from "#protocol/fastdfs/tracker-reports.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { readMemberChanges } from "#storage/changelog-lines.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import { FillWatch } from "#storage/fill-watch.ts";
import { Membership, type StorageState } from "#storage/membership.ts";
import { isGone, type Peer } from "#storage/peer-directory.ts";
import { explainStatus, type TrackerCondition } from "#storage/status-explanation.ts";
import { StatusReports } from "#storage/status-reports.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { noSyncFacts, type SyncFacts } from "#storage/sync-facts.ts";
import { TrackerCalls } from "#storage/tracker-calls.ts";

export interface GroupPartParts {
  readonly settings: StorageSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly view: ClusterView;
  readonly state: StorageState;
  /** Where this storage listens. */
  readonly ownPort: () => number;
  /** Trackers should be spoken to soon. */
  readonly onNews: () => void;
  /** All trackers should be joined anew. */
  readonly onRejoin: () => void;
}

/** An election that is under way has ended by then; and trackers that cannot reach each other are not disturbed all the time. */
const leaderCheckDelayMs = 10_000;
/** Until the reporters have left the trackers. */
const leavePauseMs = 2000;
/** Beyond the beats in which C storages hear of a deletion. */
const graceMs = 5000;

/** Who fills a member, with what was stored up to `until`, in Unix seconds of a tracker. */
export interface SourceOfPeer {
  readonly source: StorageId;
  readonly until: number;
}

/** How this storage is in its group, for people. */
export interface GroupSnapshot {
  readonly status: StorageStatus;
  /** Unix seconds: since when. */
  readonly since: number;
  /** Why it is no other, and what to do; undefined where all is as it should be. */
  readonly problem: string | undefined;
  /** All members but this one. */
  readonly peers: readonly Peer[];
}

export class GroupPart {
  readonly #parts: GroupPartParts;
  readonly membership: Membership;
  readonly calls: TrackerCalls;
  readonly #reports: StatusReports;
  readonly #joined = new Set<string>();
  readonly #fill: FillWatch;
  #leadersChecked = false;
  #joinNotBeforeMs: number | undefined;
  /** Set by replication. */
  sync: SyncFacts = noSyncFacts;

  constructor(parts: GroupPartParts) {
    this.#parts = parts;
    const { settings, network, clock, log, view, state } = parts;
    const { trackers, joinFrom, connectTimeoutMs } = settings;
    this.membership = new Membership(state, { clock, log });
    this.#reports = new StatusReports(clock);
    this.#fill = new FillWatch(settings.sync.sourcePatienceMs);
    this.calls = new TrackerCalls({
      ...{ trackers, joinFrom, connectTimeoutMs, network, clock },
      leader: () => view.leader,
    });
    view.restorePeers(state.loadPeers());
    view.learnOwnAddresses(this.membership.facts.ownAddresses);
    view.addGroupListener(() => state.savePeers(view.directory.saved()));
    this.membership.onRejoin = parts.onRejoin;
    this.membership.onTell = (status) => {
      const own = this.#ownBrief();
      if (own === undefined) return;
      ignore(this.#report({ id: own.id, status }), log, "trackers hear it when they are back");
    };
  }

  get view(): ClusterView {
    return this.#parts.view;
  }

  /** Reports about others wait until it is decided who fills us (protocol §6.3). */
  get mayReport(): boolean {
    return this.membership.own.settled;
  }

  /**
   * We fill `id` and have begun (SYNCING) or are done (OFFLINE): all trackers are told. Resolves when the leading one has taken it,
   * or any while none is known to lead; rejects when nobody does within 15 s. Those who are away hear it when they are back.
   */
  async reportStatusOf(id: StorageId, status: StorageStatus): Promise<void> {
    if (!this.mayReport) throw new Error("this storage is new itself, and reports about nobody");
    if (!this.view.assertStatus(id, status, this.#parts.clock.monotonicMs())) {
      throw new Error(`${id} is no member of the group`);
    }
    await this.#report({ id, status });
  }

  /** Who fills the member `id` (86); undefined: nobody needs to, as far as the trackers know. Rejects when none can say. */
  async sourceOf(id: StorageId): Promise<SourceOfPeer | undefined> {
    const { group } = this.#parts.settings;
    return (await this.calls.askLeaderFirst(requestSyncSourceOf, { group, id })).sync;
  }

  /** A store path is being rebuilt, and clients should be sent elsewhere; `false` when that is over. */
  setRecovering(recovering: boolean): void {
    this.membership.apply({ name: recovering ? "recovery-began" : "recovery-ended" });
  }

  /** The highest status that any tracker has us in; undefined where none that answers knows us. */
  async highestStatus(): Promise<StorageStatus | undefined> {
    const { settings, ownPort } = this.#parts;
    const server = { address: this.view.ownAddress, port: ownPort() };
    const answers = await this.calls.askAll(getStorageStatus, { group: settings.group, server });
    const statuses = answers.flatMap((answer) =>
      answer.kind === "reply" ? [answer.reply.status] : [],
    );
    return statuses.length === 0 ? undefined : (Math.max(...statuses) as StorageStatus);
  }

  /** The leading tracker is known, and hears us. */
  get hearsLeader(): boolean {
    const { trackers } = this.#parts.settings;
    return trackers.some((tracker) => this.leads(tracker) && this.#joined.has(trackerKey(tracker)));
  }

  /** `tracker` leads the trackers, as far as we know; a single one does in any case. */
  leads(tracker: ServerEndpoint): boolean {
    if (this.#parts.settings.trackers.length === 1) return true;
    const { leader } = this.view;
    return leader?.port === tracker.port && tracker.addresses.includes(leader.address);
  }

  /**
   * We were deleted, and C storages may not have noticed: one that did not see that would never fill us, since it clings to what we were
   * before (protocol §6.6). They hear of it by their beats, and let go two beats later.
   */
  waitUntilForgotten(): void {
    const { clock, settings } = this.#parts;
    this.#joinNotBeforeMs ??= clock.monotonicMs() + 3 * settings.heartBeatIntervalMs + graceMs;
  }

  /** Milliseconds until trackers may be joined; 0 in general. */
  get joinPauseMs(): number {
    return Math.max(0, (this.#joinNotBeforeMs ?? 0) - this.#parts.clock.monotonicMs());
  }

  /** Who was to fill us has left the cluster. Where it had not, somebody else must. */
  sourceGone(): void {
    const { settled } = this.membership.own;
    this.membership.apply({ name: "source-gone" });
    if (settled && !this.membership.own.settled) this.#beginAnew();
  }

  /**
   * A storage asks once who fills a new member, and then waits for that one to end, also when it is chosen itself later on. It asks again
   * when the member was deleted in between; so we leave the group, which has nothing of us yet, and come back.
   */
  #beginAnew(): void {
    const { clock, log, settings, view } = this.#parts;
    const id = this.#ownBrief()?.id;
    if (id === undefined) return;
    const others = view.peers.filter((peer) => peer.id !== id && !isGone(peer.status));
    const onlyOurs = view.parameters.cairn && others.every(({ cairn }) => cairn === true);
    log.warn("leaves-to-begin-anew", { group: settings.group, id });
    const pauseMs = onlyOurs ? 2 * leavePauseMs : 3 * settings.heartBeatIntervalMs;
    this.#joinNotBeforeMs = clock.monotonicMs() + pauseMs + graceMs;
    // Beats on a joined connection would bring the record back.
    clock.after(leavePauseMs, () => {
      const left = this.calls.askAll(deleteStorage, { group: settings.group, id });
      ignore(left, log, "a tracker that is away hears of us when it is back");
    });
  }

  trackerJoined(tracker: string, status: StorageStatus, leads: boolean): void {
    this.#joined.add(tracker);
    const { status: own } = this.membership.own;
    if (leads || own === storageStatus.none || own === storageStatus.deleted) {
      this.membership.apply({ name: "joined", status });
    }
  }

  trackerLost(tracker: string): void {
    if (!this.#joined.delete(tracker) || this.#joined.size > 0) return;
    this.membership.apply({ name: "no-tracker" });
  }

  /** Where `correctTracker`, it is to be told what we are. */
  learnChanges(report: ChangeReport): {
    readonly contradicted: readonly StorageBrief[];
    readonly correctTracker: boolean;
    /** Somebody is gone: the changelog says more. */
    readonly somebodyGone: boolean;
  } {
    const { view, clock, ownPort } = this.#parts;
    const goneBefore = goneCount(view);
    if (namesAnother(report.leader, view.leader)) this.#checkLeadersSoon();
    const { contradicted } = view.learnChanges(report, clock.monotonicMs());
    const { members } = report;
    const own = members?.find((member) => view.isOwn(member, ownPort()));
    const correctTracker =
      own !== undefined &&
      this.membership.apply({ name: "listed", status: own.status }).correctTracker;
    const source = this.membership.own.source;
    if (members?.some(({ id, status }) => id === source && status === storageStatus.deleted)) {
      this.sourceGone();
    }
    this.#lookAtSource();
    return {
      contradicted: contradicted.filter((member) => !view.isOwn(member, ownPort())),
      correctTracker,
      somebodyGone: goneCount(view) > goneBefore,
    };
  }

  /** Who was to fill us is away for too long, and somebody else can; or it is not said to fill us any more. */
  #lookAtSource(): void {
    const { clock, log } = this.#parts;
    const { own } = this.membership;
    const { hearsLeader } = this;
    const condition = {
      own,
      hearsLeader,
      peers: this.#others(),
      changes: this.sync.receivedChanges,
    };
    const verdict = this.#fill.look(condition, clock.monotonicMs());
    if (verdict === "doubt") ignore(this.#checkSource(), log, "it is asked again");
    if (verdict !== "give-up") return;
    log.warn("source-given-up", { source: own.source });
    this.sourceGone();
  }

  /** It may have been removed and have come back between two looks, and trackers have nobody to fill us since. */
  async #checkSource(): Promise<void> {
    const id = this.#ownBrief()?.id;
    const { source } = this.membership.own;
    if (id === undefined || source === undefined) return;
    const chosen = await this.sourceOf(id);
    if (chosen?.source === source || this.membership.own.source !== source) return;
    this.#parts.log.warn("source-lost", { source });
    this.sourceGone();
  }

  /**
   * Another tracker leads than before. Where both say that they do, as after a split, they are asked to choose anew (protocol §9.7);
   * C does so without asking, and thereby undoes elections that were well.
   */
  #checkLeadersSoon(): void {
    if (this.#leadersChecked) return;
    const { clock, log } = this.#parts;
    this.#leadersChecked = true;
    clock.after(leaderCheckDelayMs, () => {
      this.#leadersChecked = false;
      ignore(this.#checkLeaders(), log, "the trackers find out by themselves, too");
    });
  }

  async #checkLeaders(): Promise<void> {
    const { log } = this.#parts;
    const answers = await this.calls.askAll(getTrackerStatus, undefined);
    const leaders = answers.flatMap((answer) =>
      answer.kind === "reply" && answer.reply.isLeader ? [answer.tracker] : [],
    );
    if (leaders.length < 2) {
      this.#leaderIs(leaders[0]);
      return;
    }
    log.warn("two-leaders", { leaders: leaders.join(" ") });
    await Promise.all(
      leaders.map((tracker) => this.calls.ask(tracker, notifyReselectLeader, undefined)),
    );
  }

  /** A tracker that led for a moment only does not say when that is over, and the one that led all along has nothing new to tell. */
  #leaderIs(key: string | undefined): void {
    const { view, settings, clock } = this.#parts;
    const tracker = settings.trackers.find((each) => trackerKey(each) === key);
    const [address] = tracker?.addresses ?? [];
    if (tracker === undefined || address === undefined || this.leads(tracker)) return;
    view.learnChanges(
      { ...noChanges, leader: { address, port: tracker.port } },
      clock.monotonicMs(),
    );
  }

  /** Lines of 77, from any tracker; several tell the same, and late. */
  learnChangelog(text: string): void {
    const { view, settings, log } = this.#parts;
    for (const change of readMemberChanges(text, settings.group)) {
      if (change.kind === "moved" && view.isOwnAddress(change.to)) continue;
      if (change.kind === "moved") {
        log.notice("member-moved", { from: change.id, to: change.to });
        view.learnMove(change.id, change.to);
        this.membership.apply({ name: "moved", from: change.id, to: change.to });
        this.sync.peerMoved(change.id, change.to);
        continue;
      }
      const known = view.directory.byId(change.id);
      // An old line about somebody who is a member again, and was filled.
      if (known !== undefined && !mayBeNew(known.status)) continue;
      log.notice("member-deleted", { id: change.id });
      this.#reports.forget(change.id);
      this.sync.peerDeleted(change.id);
      const gone = known === undefined || isGone(known.status);
      if (gone && this.membership.own.source === change.id) this.sourceGone();
    }
  }

  /** What `tracker` has to hear about members, ours or others'. */
  owedTo(tracker: string): readonly StorageBrief[] {
    return this.#reports.owedTo(tracker).flatMap((report) => {
      const known = this.view.members.find(({ id }) => id === report.id) ?? this.#ownBrief();
      return known?.id === report.id ? [{ ...known, status: report.status }] : [];
    });
  }

  heard(tracker: string, brief: StorageBrief, leads: boolean): void {
    const counts = leads || this.view.leader === undefined;
    const report = this.#reports.owedTo(tracker).find(({ id }) => id === brief.id);
    if (report?.status === brief.status) this.#reports.heard(tracker, report, counts);
  }

  #report(report: { readonly id: StorageId; readonly status: StorageStatus }): Promise<void> {
    const { settings, onNews } = this.#parts;
    const taken = this.#reports.add(report, settings.trackers.map(trackerKey));
    onNews();
    return taken;
  }

  #ownBrief(): StorageBrief | undefined {
    const { view, ownPort } = this.#parts;
    return view.members.find((member) => view.isOwn(member, ownPort()));
  }

  #others(): readonly Peer[] {
    const { view, ownPort } = this.#parts;
    const mine = view.members.filter((member) => view.isOwn(member, ownPort()));
    return view.peers.filter(({ id }) => !mine.some((member) => member.id === id));
  }

  snapshot(trackers: readonly TrackerCondition[]): GroupSnapshot {
    const { clock, settings } = this.#parts;
    const { own, since } = this.membership;
    const peers = this.#others();
    const nowMs = clock.monotonicMs();
    const problem = explainStatus({
      ...{ own, since, trackers, peers },
      now: nowSeconds(clock),
      hasLeader: trackers.length <= 1 || this.hearsLeader,
      peerAge: ({ sinceMs }) => (sinceMs === 0 ? undefined : (nowMs - sinceMs) / 1000),
      fillProgress: this.sync.fillProgress(),
      sourcePatienceMs: settings.sync.sourcePatienceMs,
    });
    return { status: own.status, since, problem, peers };
  }
}

/** How a tracker is called where several are told apart. */
export function trackerKey(tracker: ServerEndpoint): string {
  return formatServerEndpoint(tracker);
}

function namesAnother(told: ChangeReport["leader"], known: Endpoint | undefined): boolean {
  if (told === undefined || told === "none" || known === undefined) return false;
  return told.address !== known.address || told.port !== known.port;
}

function goneCount(view: ClusterView): number {
  return view.peers.filter(({ status }) => isGone(status)).length;
}

/** Deleted, or so new that it may have been deleted just before. */
function mayBeNew(status: StorageStatus): boolean {
  return isGone(status) || status === storageStatus.init || status === storageStatus.waitSync;
}
