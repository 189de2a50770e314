/**
 * Replication as the storage role has it: a link to every other member of the group, what peers send, what is held of whom, and fetching
 * what is asked for and not here. Membership knows of it as `SyncFacts`. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import type { FileSource } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";
import { storageStatusCaption } from "#model/storage-status.ts";
import { ConnectionPool } from "#net/connection-pool.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { getStorageStatus } from "#protocol/fastdfs/tracker-lookups.ts";
import { replication } from "#protocol/peer/replication.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import type { GroupPart } from "#storage/group-part.ts";
import { replicationHandlers } from "#storage/handlers/replication-handlers.ts";
import { pushedChanges, syncHandlers } from "#storage/handlers/sync-handlers.ts";
import { isGone, type Peer } from "#storage/peer-directory.ts";
import { recognizePeer } from "#storage/peer-recognition.ts";
import { ReplicaReceiver } from "#storage/replica-receiver.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { StorageCounters } from "#storage/storage-statistics.ts";
import type { SyncFacts } from "#storage/sync-facts.ts";
import { type FetchCounts, FileFetcher } from "#sync/file-fetcher.ts";
import { HeldPositions, type HeldState } from "#sync/held-positions.ts";
import { maxRelays } from "#sync/limits.ts";
import { moveMarks, removeMarks } from "#sync/mark-files.ts";
import { PeerLink } from "#sync/peer-link.ts";
import type { LinkReport } from "#sync/peer-link-parts.ts";
import type { SyncStore } from "#sync/push.ts";
import { ReadRelay, type RelayCounts } from "#sync/read-relay.ts";
import { recentChanges } from "#sync/recent-deletions.ts";
import { syncStoreOf } from "#sync/sync-store.ts";
import { Tombstones } from "#sync/tombstones.ts";

/** Of each binlog, read at start for what was deleted last. */
const tombstoneTailBytes = 256 * 1024;
const savePeriodMs = 1000;
const maxFetchConnections = 8;
const maxIdleRelays = 8;

export interface ReplicationParts {
  readonly settings: StorageSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: LocalFileStore;
  readonly group: GroupPart;
  readonly state: HeldState;
  readonly counters: StorageCounters;
  /** Where this storage listens. */
  readonly ownPort: () => number;
  /** By which peers know this storage under whatever address; empty while it is not known. */
  readonly ownDisk: () => string;
}

export interface ReplicationSnapshot {
  readonly links: readonly LinkReport[];
  readonly fetches: FetchCounts;
  readonly relays: RelayCounts;
  readonly held: readonly { readonly id: StorageId; readonly until: number }[];
  /** Why nothing is held for certain; undefined where that is not so. */
  readonly suspended: string | undefined;
}

export class Replication implements SyncFacts {
  readonly #parts: ReplicationParts;
  readonly #store: SyncStore;
  readonly #receiver: ReplicaReceiver;
  readonly #tombstones = new Tombstones();
  readonly #links = new Map<StorageId, PeerLink>();
  readonly #pool: ConnectionPool;
  readonly #relayPool: ConnectionPool;
  readonly held: HeldPositions;
  readonly fetcher: FileFetcher;
  readonly relay: ReadRelay;
  /** A damaged file was set aside here. */
  isAside: (name: string) => boolean = () => false;
  /** What is missing at a peer is not in a binlog any more. */
  onBinlogGone: () => void = () => {};
  /** A disk was lost here, and what is on it now was not compared with this member's since. */
  owes: (id: StorageId) => boolean = () => false;
  /** Versions of a file met here. */
  onContest: (name: string) => Promise<void> = () => Promise.resolve();
  #timer: Timer | undefined;
  #stopListening: () => void = () => {};
  /** Marks that are being brought under another name. */
  #moving: Promise<void> = Promise.resolve();
  /** Left the group; what is known of how far they had come is being removed. */
  readonly #forgetting = new Set<StorageId>();
  #stopped = false;
  #lastReceivedMs = 0;
  #lastChanges = 0;

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
    const { store, clock, counters, log, settings, network, state } = parts;
    this.#store = syncStoreOf(store);
    const tombstones = this.#tombstones;
    this.held = new HeldPositions(state);
    this.#receiver = new ReplicaReceiver({
      ...{ store: this.#store, clock, counters, tombstones },
      isOutdated: (sender) => this.owes(sender),
      onContest: (name) => this.onContest(name),
    });
    const { connectTimeoutMs, networkTimeoutMs } = settings;
    const limits = {
      ...{ connectTimeoutMs, networkTimeoutMs },
      ...{ maxWaitingPerServer: 256, maxIdleMs: 30_000, testAfterIdleMs: 5000 },
    };
    const few = { ...limits, maxPerServer: maxFetchConnections, maxIdlePerServer: 2 };
    this.#pool = new ConnectionPool({ network, clock, limits: few });
    // Clients that take their time do not hold up what is fetched.
    const many = { ...limits, maxPerServer: maxRelays, maxIdlePerServer: maxIdleRelays };
    this.#relayPool = new ConnectionPool({ network, clock, limits: many });
    const fromPeers = {
      ...{ clock, log, group: settings.group, deadlineMs: settings.sync.fetchTimeoutMs },
      sourceId: (source: FileSource) => this.#sourceId(source),
      peers: () => this.#peers().filter(({ status }) => !isGone(status)),
    };
    this.fetcher = new FileFetcher({
      ...{ ...fromPeers, store: this.#store, tombstones, pool: this.#pool },
      ownId: () => this.ownId,
      // Without trackers there are no others.
      knowsMembers: () => this.#view.isListed || settings.trackers.length === 0,
      isMember: (source) => this.#isMember(source),
      held: this.held,
      isAside: (name) => this.isAside(name),
    });
    this.relay = new ReadRelay({ ...fromPeers, pool: this.#relayPool, networkTimeoutMs });
  }

  /** Undefined while no tracker has told. */
  get ownId(): StorageId | undefined {
    const { group, ownPort } = this.#parts;
    const { view } = group;
    const own = view.members.find((member) => view.isOwn(member, ownPort()));
    return own?.id ?? view.ownId;
  }

  addHandlers(table: Map<number, HandlerEntry<undefined>>, services: StorageServices): void {
    const { log } = this.#parts;
    const store = this.#store;
    const receiver = this.#receiver;
    const onSender = (id: StorageId, address: string): void =>
      log.debug("sync-from", { peer: id, address });
    addHandlers(
      table,
      pushedChanges,
      syncHandlers({
        ...{ services, receiver, store, onSender },
        memberAt: (address) => this.#memberAt(address),
        replaceFrom: async (name, sender) =>
          sender === undefined
            ? this.fetcher.heal(name)
            : (await this.fetcher.replace(name, sender)) !== "unknown",
      }),
    );
    addHandlers(
      table,
      replication,
      replicationHandlers({
        ...{ services, log, receiver, store, onSender },
        held: this.held,
        ownId: () => this.ownId,
        ownDisk: this.#parts.ownDisk,
        isMember: (id) => this.#view.directory.byId(id) !== undefined,
      }),
    );
  }

  /** A store path is served from now on. */
  addPath(storePathIndex: number, isOther: boolean): void {
    for (const link of this.#links.values()) link.addPath(storePathIndex, isOther);
  }

  start(): void {
    const { store, clock, group, log } = this.#parts;
    store.replicas.onBinlogGrowth = (storePathIndex) => {
      for (const link of this.#links.values()) link.wake(storePathIndex);
    };
    store.onGone = (name) => this.#tombstones.add(name, clock.monotonicMs());
    group.sync = this;
    ignore(this.#readTombstones(), log, "anti-entropy finds what comes back");
    this.#stopListening = this.#view.addGroupListener(() => {
      this.fetcher.forgetAbsences();
      this.#refresh();
    });
    this.#timer = clock.every(savePeriodMs, () => this.held.save());
    this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#stopListening();
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.stop()));
    this.#pool.close();
    this.#relayPool.close();
    this.held.save();
  }

  snapshot(): ReplicationSnapshot {
    return {
      links: [...this.#links.values()].map((link) => link.report),
      fetches: this.fetcher.counts,
      relays: this.relay.counts,
      held: this.held.entries(),
      suspended: this.held.suspended,
    };
  }

  received(): ReadonlyMap<StorageId, number> {
    return this.#receiver.received;
  }

  get receivedRevision(): number {
    return this.#receiver.revision;
  }

  get receivedChanges(): number {
    return this.#receiver.changes;
  }

  heldUntil(): readonly { readonly id: StorageId; readonly until: number }[] {
    return this.held.entries();
  }

  nameClock(): number {
    return this.#store.nameClock();
  }

  peerMoved(from: StorageId, to: StorageId): void {
    this.held.rename(from, to);
    this.#receiver.rename(from, to);
    const names = [this.#markName(from), this.#markName(to)] as const;
    const ended = this.#endLink(from);
    const moving = Promise.all([this.#moving, ended]).then(() => moveMarks(this.#store, ...names));
    this.#moving = moving.catch(() => undefined);
    ignore(moving, this.#parts.log, "the cursor starts over");
  }

  peerDeleted(id: StorageId): void {
    this.held.forget(id);
    this.#forgetting.add(id);
    ignore(this.#forget(id), this.#parts.log, "an old mark goes on where it was");
  }

  /** A link that ends writes its marks once more. */
  async #forget(id: StorageId): Promise<void> {
    const name = this.#markName(id);
    try {
      await this.#endLink(id);
      await removeMarks(this.#store, name);
    } finally {
      this.#forgetting.delete(id);
      // It may have come back before we heard that it was gone, and nobody tells that again.
      if (!this.#stopped) this.#refresh();
    }
  }

  fillProgress(): string {
    const { clock } = this.#parts;
    const { changes } = this.#receiver;
    if (changes !== this.#lastChanges) {
      this.#lastChanges = changes;
      this.#lastReceivedMs = clock.monotonicMs();
    }
    if (changes === 0) return "";
    const seconds = Math.round((clock.monotonicMs() - this.#lastReceivedMs) / 1000);
    return `${changes.toLocaleString("en")} files so far, the last one ${seconds} s ago`;
  }

  get #view(): ClusterView {
    return this.#parts.group.view;
  }

  /** The other members, also those that are gone. */
  #peers(): readonly Peer[] {
    const { ownPort } = this.#parts;
    const view = this.#view;
    const own = new Set(
      view.members.filter((member) => view.isOwn(member, ownPort())).map(({ id }) => id),
    );
    return view.peers.filter(({ id }) => !own.has(id));
  }

  #refresh(): void {
    const peers = this.#peers();
    for (const [id, link] of this.#links) {
      const known = peers.find((peer) => peer.id === id);
      if (known === undefined || isGone(known.status)) {
        ignore(this.#endLink(id), this.#parts.log, "it says why");
      } else link.refresh();
    }
    // Before it is clear who we are, we might take ourselves for a peer.
    if (this.ownId === undefined) return;
    for (const peer of peers) {
      if (this.#links.has(peer.id) || this.#forgetting.has(peer.id)) continue;
      if (isGone(peer.status) || peer.port === 0) continue;
      this.#links.set(peer.id, this.#begin(peer.id));
    }
  }

  /** Resolves when its marks are written. */
  async #endLink(id: StorageId): Promise<void> {
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    const stopped = link.stop();
    ignore(stopped, this.#parts.log, "an old mark sends records twice");
    await stopped.catch(() => undefined);
  }

  /**
   * The peer has told its disk: a node of ours that has another address is who it was, also where no tracker says so. Its marks are under its
   * present name when this resolves. Rejects while trackers have the former one in service: it is not clear yet which is which.
   */
  async #recognize(id: StorageId, disk: string): Promise<void> {
    await this.#moving;
    const former = this.#view.directory.byDisk(disk);
    const isFormerHeard = former !== undefined && this.#links.get(former.id)?.isHeard === true;
    const ownDisk = this.#parts.ownDisk();
    const found = recognizePeer({ id, disk, ownDisk, former, isFormerHeard });
    if (found.kind === "unclear") throw stillThere(found.former);
    if (found.kind === "copy") {
      this.#parts.log.warn("disk-known-twice", { disk, peers: `${found.former.id} ${id}` });
      return;
    }
    if (found.kind === "moved") {
      const from = found.former.id;
      this.#parts.log.notice("peer-recognized", { from, to: id });
      this.#view.learnMove(from, id);
      this.#parts.group.membership.apply({ name: "moved", from, to: id });
      this.peerMoved(from, id);
      await this.#moving;
    }
    if (disk === "" || disk === ownDisk) return;
    this.#view.learnDisk(id, disk);
  }

  #begin(peerId: StorageId): PeerLink {
    const { settings, network, clock, log, counters, group, store } = this.#parts;
    const { connectTimeoutMs, networkTimeoutMs, heartBeatIntervalMs, sync } = settings;
    const { fetchTimeoutMs: _fetch, sourcePatienceMs: _source, ...pace } = sync;
    const link = new PeerLink({
      ...{ network, clock, log, peerId },
      store: this.#store,
      settings: {
        ...pace,
        from: settings.joinFrom,
        connectTimeoutMs,
        networkTimeoutMs,
        heartBeatIntervalMs,
      },
      group: settings.group,
      ownId: () => this.ownId,
      place: () => this.#view.directory.byId(peerId),
      markName: () => this.#markName(peerId),
      storePathIndexes: store.paths.map(({ index }) => index),
      askSource: (peer) => group.sourceOf(peer),
      report: (peer, status) => group.reportStatusOf(peer, status),
      heal: (name) => this.fetcher.heal(name),
      adopt: async (name) => {
        await this.onContest(name);
        return this.fetcher.adopt(name, peerId);
      },
      recognize: (disk) => this.#recognize(peerId, disk),
      onBinlogGone: () => this.onBinlogGone(),
      mayLack: () => this.held.suspended !== undefined || this.owes(peerId),
      onDialect: (dialect) => this.#view.learnCairn(peerId, dialect === "cairn"),
      onSent: (_records, bytes) => {
        counters.attempt("syncOutBytes", bytes);
        counters.succeed("syncOutBytes", bytes);
      },
    });
    link.start();
    return link;
  }

  /** As C calls its mark files; the port is our own (protocol §5.1). */
  #markName(id: StorageId): string {
    return this.#view.parameters.usesStorageIds ? id : `${id}_${this.#parts.ownPort()}`;
  }

  #memberAt(address: string): StorageId | undefined {
    const found = this.#peers().filter((peer) => peer.addresses.includes(address));
    return found.length === 1 ? found[0]?.id : undefined;
  }

  #sourceId(source: FileSource): StorageId | "self" | undefined {
    const view = this.#view;
    const { ownId } = this;
    if (source.kind === "id" && source.id === view.ownId) return "self";
    const peer = view.peerOf(source);
    const isOthers = peer !== undefined && !isGone(peer.status) && peer.id !== ownId;
    if (source.kind === "address" && view.isOwnAddress(source.address)) {
      // Either half of a mirror may have made it, before it was one.
      if (this.#parts.settings.sharesAddress === true) return undefined;
      // What we made while the address was ours is here, or gone: whoever has it now is asked for the rest.
      return isOthers && ownId !== undefined ? peer.id : "self";
    }
    if (peer === undefined || isGone(peer.status)) return undefined;
    return isOthers ? peer.id : "self";
  }

  /** Whether trackers know a storage where a name says that its source is: it may be so new that we were not told of it. */
  async #isMember(source: FileSource): Promise<boolean> {
    const { group, settings, ownPort } = this.#parts;
    if (settings.trackers.length === 0) return false;
    const address = source.kind === "address" ? source.address : this.#view.addressOf(source.id);
    if (address === "" || this.#view.isOwnAddress(address)) return false;
    const server = { address, port: ownPort() };
    try {
      const request = { group: settings.group, server };
      return !isGone((await group.calls.askLeaderFirst(getStorageStatus, request)).status);
    } catch (error) {
      if (error instanceof WireStatusError && error.status === wireStatus.notFound) return false;
      throw error;
    }
  }

  async #readTombstones(): Promise<void> {
    const { clock, log } = this.#parts;
    for (const { index } of this.#store.paths) {
      try {
        for await (const entry of recentChanges(this.#store, index, tombstoneTailBytes)) {
          const { kind, name } = entry;
          if (kind === "delete") this.#tombstones.add(name, clock.monotonicMs());
          else this.#tombstones.remove(name);
          if (kind === "rename") this.#tombstones.add(entry.oldName, clock.monotonicMs());
        }
      } catch (error) {
        log.notice("deletions-unread", { path: index, why: describeError(error) });
      }
    }
  }
}

function stillThere({ id, status }: Peer): Error {
  const caption = storageStatusCaption(status);
  return new Error(`it was ${id} before, which trackers still have as ${caption}`);
}
