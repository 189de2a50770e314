/**
 * What a storage and one tracker have to say to each other about the group, on the joined connection, besides beats (protocol §6.5,
 * §2.4/59, 76, 77, 85, 89; `protocol/peer/report-held.ts`). One object a tracker and connection. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { StorageId } from "#model/storage-id.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import { type ChangeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import { getStorageStatus } from "#protocol/fastdfs/tracker-lookups.ts";
import {
  changeStorageStatus,
  reportReplicas,
  reportStatus,
  reportSync,
  requestChangelog,
} from "#protocol/fastdfs/tracker-reports.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { maxHeldEntries, reportHeld } from "#protocol/peer/report-held.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import type { ClusterParameters } from "#storage/cluster-view.ts";
import type { GroupPart } from "#storage/group-part.ts";
import { isAvailable } from "#storage/peer-directory.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { fetchIds } from "#storage/tracker-introduction.ts";

/** Trackers of ours hear this often up to where we hold the files of others. */
export const heldPeriodMs = 1000;
/** A tracker that is behind the times is corrected this often at most. */
const correctionPauseMs = 10_000;
/** The table of storage ids is asked for again this often at most. */
const idsPauseMs = 10_000;
const maxReplicas = 32;

export interface GroupReportsParts {
  /** As `trackerKey` calls it. */
  readonly tracker: string;
  readonly client: FrameClient;
  readonly parameters: ClusterParameters;
  readonly settings: StorageSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly group: GroupPart;
  readonly port: () => number;
  /** What this tracker calls us. */
  readonly ownId: StorageId | undefined;
  readonly leads: () => boolean;
}

export class GroupReports {
  readonly #parts: GroupReportsParts;
  /** Monotonic milliseconds. */
  #heldDue: number;
  #correctionDue = 0;
  #idsDue = 0;
  #changelogDue = false;
  #correct = false;
  #contradicted: readonly StorageBrief[] = [];
  #receivedTold = 0;
  /** What a following tracker was last told or asked about. */
  #membersTold: readonly StorageBrief[] | undefined;
  /** What this tracker listed last, and what our view made of it. */
  #listed: readonly StorageBrief[] | undefined;
  #viewThen: readonly StorageBrief[] | undefined;
  /** Our view contradicted that list, which it does for a while only (`assertionMs`). */
  #clings = false;

  constructor(parts: GroupReportsParts) {
    this.#parts = parts;
    const { parameters, ownId } = parts;
    this.#heldDue = parameters.cairn && ownId !== undefined ? 0 : Number.POSITIVE_INFINITY;
  }

  /** When `attend` is due next, at the latest. */
  get dueMs(): number {
    return this.#heldDue;
  }

  /** A reply with changes came from this tracker. */
  learn(report: ChangeReport): void {
    const { group } = this.#parts;
    const news = group.learnChanges(report);
    if (report.members !== undefined) {
      this.#listed = report.members;
      this.#viewThen = group.view.members;
      this.#clings = news.contradicted.length > 0;
    }
    if (news.somebodyGone) this.#changelogDue = true;
    if (news.correctTracker) this.#correct = true;
    if (news.contradicted.length > 0) this.#contradicted = news.contradicted;
  }

  /** Before the first beat: what we are, and what we hold. */
  async introduce(): Promise<void> {
    if (this.#heldDue <= this.#parts.clock.monotonicMs()) await this.#reportHeld();
  }

  /** Right after a beat. */
  async afterBeat(): Promise<void> {
    if (this.#parts.parameters.adjustsAddresses) this.#changelogDue = true;
    this.#listAgain();
    await this.#reportReceived();
    await this.#agree();
    await this.#refreshIds();
  }

  /** Another tracker led for a moment, and listed something else, or what we knew better is old by now; this one has nothing new to tell. */
  #listAgain(): void {
    const { group, leads } = this.#parts;
    const isKnown = group.view.members === this.#viewThen && !this.#clings;
    if (this.#listed === undefined || !leads() || isKnown) return;
    const due = this.#contradicted;
    this.learn({ ...noChanges, members: this.#listed });
    // It was told so once.
    this.#contradicted = due;
  }

  /** Says what is due. Rejects where the connection fails; what a tracker refuses is left. */
  async attend(): Promise<void> {
    const { clock } = this.#parts;
    if (clock.monotonicMs() >= this.#heldDue) await this.#reportHeld();
    await this.#reportStatuses();
    await this.#correctTracker();
    if (this.#changelogDue) await this.#readChangelog();
    await this.#reportReplicas();
  }

  async #reportHeld(): Promise<void> {
    const { client, group, settings, clock, ownId = "" } = this.#parts;
    this.#heldDue = clock.monotonicMs() + heldPeriodMs;
    const entries = group.sync.heldUntil().slice(0, maxHeldEntries);
    try {
      const changes = await client.call(reportHeld, {
        group: settings.group,
        id: ownId,
        ownClock: group.sync.nameClock(),
        mode: readWriteMode[settings.mode],
        entries: entries.map(({ id, until }) => ({ id, heldUntil: until })),
      });
      this.learn(changes);
    } catch (error) {
      if (!(error instanceof WireStatusError)) throw error;
      // An older release of ours.
      this.#heldDue = Number.POSITIVE_INFINITY;
    }
  }

  async #reportStatuses(): Promise<void> {
    const { client, group, settings, tracker, leads } = this.#parts;
    for (const storage of group.owedTo(tracker)) {
      await taken(client.call(reportStatus, { group: settings.group, storage }));
      group.heard(tracker, storage, leads());
    }
  }

  /** A leading tracker that restored an old state, or missed what our source reported, would keep us waiting for ever. */
  async #correctTracker(): Promise<void> {
    const { client, group, clock, log, tracker } = this.#parts;
    if (!this.#correct || clock.monotonicMs() < this.#correctionDue) return;
    this.#correct = false;
    this.#correctionDue = clock.monotonicMs() + correctionPauseMs;
    const { status: own } = group.membership.own;
    // The next beat makes it ACTIVE.
    const status = isAvailable(own) ? own : storageStatus.offline;
    log.warn("tracker-behind", { tracker, status });
    await taken(client.call(changeStorageStatus, { status }));
  }

  async #readChangelog(): Promise<void> {
    this.#changelogDue = false;
    const { client, group } = this.#parts;
    const reply = await answered(client.call(requestChangelog, { storage: undefined }));
    if (reply !== undefined) group.learnChangelog(reply.lines);
  }

  /** A tracker hears where our view is newer, and a following one what the leader told (85). */
  async #reportReplicas(): Promise<void> {
    const { client, group, leads } = this.#parts;
    let members = this.#contradicted;
    this.#contradicted = [];
    const listed = group.view.members;
    if (!leads() && group.view.leader !== undefined && listed !== this.#membersTold) {
      this.#membersTold = listed;
      members = listed;
    }
    if (members.length === 0) return;
    await taken(client.call(reportReplicas, { members: members.slice(0, maxReplicas) }));
  }

  async #reportReceived(): Promise<void> {
    const { client, group, ownId } = this.#parts;
    const { receivedRevision: revision } = group.sync;
    if (revision === this.#receivedTold) return;
    const received = group.sync.received();
    const sources = group.view.members
      .filter(({ id }) => id !== ownId)
      .map(({ id }) => ({ id, timestamp: received.get(id) ?? 0 }));
    if (sources.length === 0) return;
    this.learn(await client.call(reportSync, { sources }));
    this.#receivedTold = revision;
  }

  /** A following tracker is asked what it takes us for, and told what the leader does, where that differs (59). */
  async #agree(): Promise<void> {
    const { client, group, settings, leads, port } = this.#parts;
    const { status, settled } = group.membership.own;
    if (leads() || !group.hearsLeader || !settled) return;
    const server = { address: group.view.ownAddress, port: port() };
    const here = await answered(client.call(getStorageStatus, { group: settings.group, server }));
    if (here === undefined || agree(here.status, status)) return;
    await taken(client.call(changeStorageStatus, { status }));
  }

  /** Somebody joined whom our table does not have, or with another address: it is newer at the tracker. */
  async #refreshIds(): Promise<void> {
    const { client, group, clock } = this.#parts;
    const { view } = group;
    if (clock.monotonicMs() < this.#idsDue || !view.members.some((each) => view.misses(each))) {
      return;
    }
    this.#idsDue = clock.monotonicMs() + idsPauseMs;
    const entries = await answered(fetchIds(client));
    if (entries !== undefined) view.learnIds(entries, view.ownId);
  }
}

function agree(one: StorageStatus, other: StorageStatus): boolean {
  return one === other || (isAvailable(one) && isAvailable(other));
}

/** Undefined where the tracker refuses. */
async function answered<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof WireStatusError) return undefined;
    throw error;
  }
}

async function taken(reply: Promise<unknown>): Promise<void> {
  await answered(reply);
}
