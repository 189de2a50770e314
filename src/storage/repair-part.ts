/**
 * Everything of a storage that makes good what was lost: compares its files with its peers', now and then and when asked, and rebuilds
 * store paths that come back empty. The two share the connections to peers and what they know of the group. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { Horizons } from "#filestore/inventory/horizons.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { encodeSource } from "#model/file-base.ts";
import type { FileSource } from "#model/file-id.ts";
import { isIpv4 } from "#model/ip-address.ts";
import { numericStorageId, StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { ConnectionPool, type PoolLimits } from "#net/connection-pool.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { inventory } from "#protocol/peer/inventory.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import { DoubtfulPaths } from "#storage/doubtful-paths.ts";
import {
  inventoryHandlers,
  pathListHandlers,
  pathLists,
} from "#storage/handlers/inventory-handlers.ts";
import { type ComparableMember, OwedComparisons } from "#storage/owed-comparisons.ts";
import type { PathMemory } from "#storage/path-table.ts";
import { isGone, type Peer } from "#storage/peer-directory.ts";
import type { ReceiptPeer } from "#storage/receipt-part.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import { AntiEntropy, type AntiEntropyReport, restFor } from "#sync/anti-entropy/anti-entropy.ts";
import { ContestedFiles } from "#sync/anti-entropy/contested-files.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import { repairLanes, restWhileServingMs } from "#sync/anti-entropy/limits.ts";
import { LocalInventories } from "#sync/anti-entropy/local-inventories.ts";
import { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";
import type { RepairedStore } from "#sync/anti-entropy/peer-file.ts";
import { RemoteFiles } from "#sync/anti-entropy/remote-files.ts";
import { RemoteInventory } from "#sync/anti-entropy/remote-inventory.ts";
import { ForegroundYield } from "#sync/recovery/foreground-yield.ts";
import { fetchPathList } from "#sync/recovery/path-list.ts";
import {
  PathRecovery,
  type RecoveredStore,
  type RecoveryPeer,
  type RecoveryReport,
} from "#sync/recovery/path-recovery.ts";
import { decideRecovery } from "#sync/recovery/recovery-decision.ts";
import { recoveryMark } from "#sync/recovery/recovery-state.ts";

export interface RepairSettings {
  readonly group: string;
  readonly connectTimeoutMs: number;
  readonly networkTimeoutMs: number;
  /** Between two comparisons; 0: only when asked. */
  readonly verifyIntervalMs: number;
  /** Files that a recovery fetches at the same time. */
  readonly recoveryLanes: number;
}

export interface RepairPartParts {
  readonly settings: RepairSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly view: ClusterView;
  readonly store: LocalFileStore;
  readonly paths: PathMemory;
  readonly ownPort: () => number;
  /** This storage had what its group has when it was started. */
  readonly wasSettled: boolean;
  /** The same of now, for disks that came since; left out: as at the start. */
  readonly isSettled?: () => boolean;
  /** Grows with each request of a client. */
  readonly foreground: () => number;
  /** What this storage holds of each peer's files. */
  readonly heldUntil: () => readonly { readonly id: StorageId; readonly until: number }[];
  /** Files that were here may be missing, or, undefined, none is any more. */
  readonly onIncomplete: (why: string | undefined) => void;
  /** Some of the files that were here may be missing, or, undefined, none is any more. */
  readonly onDoubt: (why: string | undefined) => void;
}

export interface RepairSnapshot {
  readonly comparison: AntiEntropyReport;
  /** Of store paths that are being rebuilt, or were since the start. */
  readonly recoveries: readonly RecoveryReport[];
}

/** Of a source of which nothing is known, such as a C storage, younger files may be on their way: as trackers of C assume it. */
const unknownDelaySeconds = 86_400;
/** Paths that open late are looked at when they do. */
const lookPeriodMs = 1000;

const poolLimits = {
  maxPerServer: 32,
  maxWaitingPerServer: 256,
  maxIdlePerServer: 32,
  maxIdleMs: 30_000,
  testAfterIdleMs: 5000,
} as const;

export class RepairPart {
  readonly #parts: RepairPartParts;
  readonly #pool: ConnectionPool;
  readonly inventories: LocalInventories;
  readonly store: RepairedStore & RecoveredStore;
  readonly comparison: AntiEntropy;
  readonly contested: ContestedFiles;
  readonly #doubtful: DoubtfulPaths;
  readonly #stopping = new AbortController();
  readonly #owed: OwedComparisons;
  readonly #looked = new Set<number>();
  /** Store paths of which it is known whether they were lost. */
  readonly #known = new Set<number>();
  /** Put in while the node served; they are looked at once as well. */
  readonly #added = new Set<number>();
  readonly #recoveries = new Map<number, PathRecovery>();
  /** Ends the recovery of a path whose disk was replaced. */
  readonly #replaced = new Map<number, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #timer: { cancel(): void } | undefined;

  constructor(parts: RepairPartParts) {
    this.#parts = parts;
    const { clock, log, network, settings, store } = parts;
    const { connectTimeoutMs, networkTimeoutMs } = settings;
    const limits: PoolLimits = { ...poolLimits, connectTimeoutMs, networkTimeoutMs };
    this.#pool = new ConnectionPool({ network, clock, limits });
    this.inventories = new LocalInventories({
      find: (index) => store.inventories.of(index),
      horizons: () => this.#horizons(),
      mayRead: (index) => store.mayReadInBackground(index),
    });
    this.store = repairedStore(store);
    const foreground = new ForegroundYield(clock, parts.foreground);
    this.comparison = new AntiEntropy({
      ...{ clock, log, inventories: this.inventories, store: this.store },
      ownId: () => this.#ownId,
      ownSources: () => this.#ownSources(),
      peers: () => this.#available().filter(({ isCairn }) => isCairn),
      absent: () => this.#absent(),
      storePaths: () => store.inventories.served.filter((index) => !this.#isRecovering(index)),
      mayRead: (index) => store.mayReadInBackground(index),
      intervalMs: settings.verifyIntervalMs,
      rest: restFor(clock, () => (foreground.isBusy ? restWhileServingMs : 0)),
    });
    this.contested = new ContestedFiles({
      ...{ clock, log, store: this.store, notes: store.replicas },
      peers: () => this.#available().filter(({ isCairn }) => isCairn),
      absent: () => this.#absent(),
    });
    this.#doubtful = new DoubtfulPaths({
      ...{ log, store: store.inventories },
      onDoubt: (why) => parts.onDoubt(why ?? this.#doubt),
      peers: () => this.#comparable,
      mend: (reason, mended) => this.comparison.mend(reason, mended),
    });
    this.#owed = new OwedComparisons({
      ...{ log, store: store.replicas },
      members: () => this.#comparableMembers(),
      mend: (reason, mended) => this.comparison.mend(reason, mended),
      request: (reason) => this.comparison.request(reason),
    });
  }

  start(): void {
    this.comparison.start();
    this.#look();
    this.#timer = this.#parts.clock.every(lookPeriodMs, () => this.#look());
  }

  /** A store path is served from now on, maybe from another disk than before. */
  addPath(index: number): void {
    this.#replaced.get(index)?.abort(new Error("the disk was replaced"));
    this.#replaced.delete(index);
    this.#recoveries.delete(index);
    this.#added.add(index);
    this.#looked.delete(index);
    this.#known.delete(index);
    this.#look();
  }

  addHandlers(table: Map<number, HandlerEntry<undefined>>, services: StorageServices): void {
    const { inventories, store } = this;
    const peerOf = (id: StorageId) => this.peerOf(id);
    const lanes = repairLanes;
    addHandlers(
      table,
      inventory,
      inventoryHandlers({ services, inventories, store, peerOf, lanes }),
    );
    const find = (index: number) => this.#parts.store.inventories.of(index);
    addHandlers(table, pathLists, pathListHandlers(services, find));
  }

  /** This storage has what its group had when it came; the log of who filled it may have lacked what others know to be deleted. */
  filled(): void {
    const { store, log } = this.#parts;
    for (const index of store.inventories.served) {
      ignore(
        this.#owed.filled(index),
        log,
        "it is compared all the same, unless it restarts first",
      );
    }
  }

  /** A disk was lost here, and not everything was compared with `id` since: either side may lack what nobody sends any more. */
  owes(id: StorageId): boolean {
    return !this.#recovered() || this.#owed.isOwed(id);
  }

  /** A member that has told us its id; undefined where there is none. */
  peerOf(id: StorageId): RemoteFiles | undefined {
    const peer = this.#members().find((each) => each.id === id);
    return peer === undefined ? undefined : this.#filesOf(peer);
  }

  /** Everybody who may have files of this group, for those who ask a single question. */
  get askable(): readonly ReceiptPeer[] {
    return this.#members().map(({ id, cairn }) => {
      return { id, isCairn: cairn, exchange: this.#exchange(id) };
    });
  }

  /** Brings a copy with this CRC-32 from any of the peers; false where none has one. Rejects where none can be asked. */
  async copyOf(name: string, crc32: number): Promise<boolean> {
    const peers = this.#available().map(({ files }) => files);
    if (peers.length === 0) return false;
    const timestamp = nowSeconds(this.#parts.clock);
    return (await fetchCopy(this.store, peers, { name, timestamp, crc32 })).outcome !== "missing";
  }

  snapshot(): RepairSnapshot {
    const recoveries = [...this.#recoveries.values()].map((recovery) => recovery.report());
    return { comparison: this.comparison.report(), recoveries };
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort(new Error("the node is stopping"));
    this.#pool.close();
    await this.comparison.stop();
    await Promise.all(this.#running);
  }

  /** Each path once, as soon as it is open; again where its disk fails meanwhile. */
  #look(): void {
    const { store, log } = this.#parts;
    for (const index of store.inventories.served) {
      if (this.#looked.has(index)) continue;
      this.#looked.add(index);
      const looking = this.#lookAt(index).then(
        () => {
          this.#known.add(index);
          this.#doubtful.look();
        },
        (error: unknown) => {
          this.#looked.delete(index);
          log.warn("store-path-not-looked-at", { storePath: index, why: describeError(error) });
        },
      );
      ignore(looking, log, "it was told");
    }
    this.#owed.look();
    this.#doubtful.look();
    this.comparison.look();
    this.contested.look();
  }

  async #lookAt(index: number): Promise<void> {
    const { store, paths, wasSettled, isSettled, log } = this.#parts;
    const identity = store.inventories.identityOf(index);
    if (identity === undefined) return;
    const noted = await this.#owed.noted(index);
    await this.contested.load(index);
    const remembered = paths.load().get(index);
    const knownId = remembered?.known?.id;
    const recovering = (await store.replicas.readMark(index, recoveryMark)) !== undefined;
    const settled = this.#added.has(index) ? (isSettled?.() ?? wasSettled) : wasSettled;
    const decision = decideRecovery({ ...identity, recovering }, { knownId, settled });
    // What peers have on a path that is new here they send, since it was never answered for.
    const isNew = knownId === undefined && this.#added.has(index) && !recovering;
    if (decision.decision === "recover" && !isNew) {
      log.notice("store-path-lost", { storePath: index, why: decision.why });
      // The note first: only then may the path count as known.
      await this.#recover(index);
    } else if (identity.lostBinlog) {
      // Its files are compared when they were looked at.
      log.warn("binlog-lost", { storePath: index });
    }
    if (noted !== undefined && decision.decision === "serve") this.#owed.owe(index, noted);
    const { id, ownMount } = identity;
    paths.save(index, { known: { id, ownMount }, candidate: remembered?.candidate ?? "" });
  }

  async #recover(index: number): Promise<void> {
    const { clock, log, foreground, onIncomplete } = this.#parts;
    const recovery = new PathRecovery({
      ...{ clock, log, foreground, storePathIndex: index, store: this.store },
      here: this.inventories.side(index),
      peers: () => this.#available(),
      lanes: this.#parts.settings.recoveryLanes,
      sources: () => [...this.#horizons().keys()],
    });
    this.#recoveries.set(index, recovery);
    onIncomplete(`store path ${index} is being rebuilt`);
    const replaced = new AbortController();
    this.#replaced.set(index, replaced);
    await this.#owed.note(index, "recovered");
    await recovery.takeUp();
    const run = recovery.run(AbortSignal.any([this.#stopping.signal, replaced.signal])).then(
      () => {
        // Its peer may have lacked what another one has: until all were compared with, nothing is called gone, and clients are not sent here.
        this.#owed.owe(index, "recovered");
        this.#doubtful.look();
        if (this.#recovered()) onIncomplete(undefined);
      },
      (error: unknown) => log.debug("recovery-ended", { why: describeError(error) }),
    );
    this.#running.add(run);
    ignore(
      run.finally(() => this.#running.delete(run)),
      log,
      "a recovery tells its own failures",
    );
  }

  get #doubt(): string | undefined {
    return this.unknown ?? this.#owed.doubt;
  }

  /** Store paths that are served and were not looked at yet, in words. */
  get unknown(): string | undefined {
    const unknown = this.#parts.store.inventories.served.filter((index) => !this.#known.has(index));
    if (unknown.length === 0) return undefined;
    return `it is not known yet whether store path ${unknown.join(", ")} has its files`;
  }

  #isRecovering(index: number): boolean {
    const recovery = this.#recoveries.get(index);
    return recovery !== undefined && recovery.report().state !== "done";
  }

  #recovered(): boolean {
    return [...this.#recoveries.keys()].every((index) => !this.#isRecovering(index));
  }

  /** Whether there are others whose files can be compared with ours. */
  get #comparable(): "some" | "none" | "unknown" {
    if (this.#parts.view.peers.length === 0) return "unknown";
    return this.#members().some(({ cairn }) => cairn !== false) ? "some" : "none";
  }

  #comparableMembers(): readonly ComparableMember[] | undefined {
    if (this.#comparable === "unknown") return undefined;
    const available = this.#available().flatMap(({ id, isCairn }) => (isCairn ? [id] : []));
    return this.#members()
      .filter(({ cairn }) => cairn !== false)
      .map(({ id }) => ({ id, isAvailable: available.includes(id) }));
  }

  /** All members but ourselves and those that are gone. */
  #members(): readonly Peer[] {
    const { view, ownPort } = this.#parts;
    return view.peers.filter(
      (peer) => !isGone(peer.status) && !isOwnPeer(view, peer, ownPort()) && peer.port > 0,
    );
  }

  #available(): readonly RecoveryPeer[] {
    const active = this.#members().filter(
      ({ status, addresses }) => status === storageStatus.active && addresses.length > 0,
    );
    return active.map((peer) => {
      const { id } = peer;
      const { group } = this.#parts.settings;
      const exchange = this.#exchange(id);
      return {
        id,
        isCairn: peer.cairn === true,
        files: this.#filesOf(peer),
        side: (storePathIndex) =>
          new RemoteInventory({ exchange, group, id: this.#ownId, storePathIndex }),
        list: (storePathIndex) => fetchPathList(exchange, { group, storePathIndex }),
      };
    });
  }

  #absent(): readonly StorageId[] {
    const here = new Set(this.#available().flatMap(({ id, isCairn }) => (isCairn ? [id] : [])));
    const ours = this.#members().filter(({ cairn }) => cairn !== false);
    return ours.flatMap(({ id }) => (here.has(id) ? [] : [id]));
  }

  #filesOf({ id, cairn }: Peer): RemoteFiles {
    const { group } = this.#parts.settings;
    const common = { exchange: this.#exchange(id), group, id: this.#ownId };
    return new RemoteFiles({ ...common, title: id, isCairn: cairn === true });
  }

  #exchange(id: StorageId): PeerExchange {
    return new PeerExchange(this.#pool, () => {
      const peer = this.#parts.view.directory.byId(id);
      return { addresses: peer?.addresses ?? [], port: peer?.port ?? 0 };
    });
  }

  get #ownId(): StorageId {
    const { view, ownPort } = this.#parts;
    const own = view.peers.find((peer) => isOwnPeer(view, peer, ownPort()));
    return own?.id ?? view.ownId ?? StorageId(view.ownAddress);
  }

  #ownSources(): readonly number[] {
    const { view, ownPort } = this.#parts;
    const own = view.peers.filter((peer) => isOwnPeer(view, peer, ownPort()));
    return [encodeSource(view.source), ...own.flatMap(sourceWords)];
  }

  /** By source words: of ourselves what we have given names for, of peers what they told that we hold. */
  #horizons(): Horizons {
    const { view, store, heldUntil, ownPort } = this.#parts;
    const clock = store.replicas.nameClock();
    const held = new Map(heldUntil().map(({ id, until }) => [id, until]));
    const horizons = new Map<number, number>();
    for (const peer of view.peers) {
      if (isGone(peer.status)) continue;
      const isOwn = isOwnPeer(view, peer, ownPort());
      const fallback = peer.cairn === true ? 0 : Math.max(0, clock - unknownDelaySeconds);
      const horizon = isOwn ? clock : (held.get(peer.id) ?? fallback);
      for (const word of sourceWords(peer)) horizons.set(word, horizon);
    }
    horizons.set(encodeSource(view.source), clock);
    return horizons;
  }
}

function isOwnPeer(
  view: ClusterView,
  { id, port, addresses, status }: Peer,
  ownPort: number,
): boolean {
  return view.isOwn({ id, port, status, address: addresses[0] ?? "" }, ownPort);
}

/** How names say that they come from this storage, now or before. */
function sourceWords({ id, addresses, formerAddresses }: Peer): readonly number[] {
  const sources: FileSource[] = [...addresses, ...formerAddresses]
    .filter(isIpv4)
    .map((address) => ({ kind: "address", address }));
  if (numericStorageId(id) !== undefined) sources.push({ kind: "id", id });
  return sources.map(encodeSource);
}

function repairedStore(store: LocalFileStore): RepairedStore & RecoveredStore {
  const { replicas } = store;
  return {
    facts: (name, options) => store.facts(name, options),
    storeReplica: (file, body) => replicas.storeReplica(file, body),
    removeReplica: (change) => replicas.removeReplica(change),
    linkReplica: (change) => replicas.linkReplica(change),
    readMark: (index, name) => replicas.readMark(index, name),
    writeMark: (index, name, text) => replicas.writeMark(index, name, text),
    removeMark: (index, name) => replicas.removeMark(index, name),
  };
}
