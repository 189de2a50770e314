/**
 * The FastDFS storage role: a port that serves clients from the file store, and a reporter a tracker. The port opens as
 * soon as the store is there, with or without a tracker. Main thread.
 */
import { ignore, type Log } from "#base/log.ts";
import type { FileStore } from "#filestore/file-store.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { type ReadWriteMode, storageStatus } from "#model/storage-status.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import type { ConnectionCounts } from "#net/frame-server.ts";
import { FrameServer } from "#net/frame-server.ts";
import { type Clock, nowSeconds, type Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { narrowAddresses, wideAddresses } from "#protocol/codec.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { storageTrunk } from "#protocol/fastdfs/storage-trunk.ts";
import { headerSize } from "#protocol/header.ts";
import { fileReceipts } from "#protocol/peer/file-receipt.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import type { AccessLog } from "#storage/access-log.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import { GroupPart, type GroupPartParts, type GroupSnapshot } from "#storage/group-part.ts";
import { fileHandlers } from "#storage/handlers/file-handlers.ts";
import { metadataHandlers } from "#storage/handlers/metadata-handlers.ts";
import type { StorageState } from "#storage/membership.ts";
import { firstDiskId, noPathMemory, type PathMemory } from "#storage/path-table.ts";
import { ReceiptPart } from "#storage/receipt-part.ts";
import { RepairPart, type RepairSnapshot } from "#storage/repair-part.ts";
import {
  Replication,
  type ReplicationParts,
  type ReplicationSnapshot,
} from "#storage/replication.ts";
import { type PathScrub, ScrubPart, scrubbedWhenAsked } from "#storage/scrub-part.ts";
import { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { type ReporterState, TrackerReporter } from "#storage/tracker-reporter.ts";
import { TrunkPart, type TrunkPartParts, type TrunkSnapshot } from "#storage/trunk-part.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";
import { FetchingFileStore } from "#sync/fetching-file-store.ts";
import { PatientRelay } from "#sync/patient-relay.ts";

/** A request without payload must be shorter than the original's default buffer, header included (protocol §1.7). */
const maxBodyBytes = 256 * 1024 - headerSize - 1;
/** Counts are saved this often, and at the end. */
const savePeriodMs = 60_000;

export interface StorageParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: LocalFileStore;
  /** What clients are served from; left out: `store`. */
  readonly clientStore?: FileStore;
  readonly view: ClusterView;
  readonly state: StorageState;
  readonly admits: (address: string) => boolean;
  readonly accessLog: AccessLog | undefined;
  /** Left out: store paths are not remembered, and none is ever taken for lost. */
  readonly paths?: PathMemory;
  /** The disk below a store path, by its passport; left out where disks carry none. */
  readonly diskOf?: (storePathIndex: number) => string | undefined;
}

export interface StorageSnapshot {
  readonly port: number;
  readonly connections: ConnectionCounts;
  readonly counters: StorageCounters;
  readonly trackers: readonly {
    readonly tracker: string;
    readonly state: ReporterState;
    readonly problem: string;
  }[];
  readonly trunk: TrunkSnapshot;
  readonly replication: ReplicationSnapshot;
  readonly group: GroupSnapshot;
  /** What clients may do here; left out: everything. */
  readonly mode?: ReadWriteMode;
  readonly repair: RepairSnapshot;
  /** Of each store path that is served. */
  readonly scrubs?: readonly PathScrub[];
}

export interface RunningStorage {
  readonly port: number;
  /** Resolves when the first tracker sends clients here. */
  readonly known: Promise<void>;
  snapshot(): StorageSnapshot;
  /** Compares all files with those of the peers, now. */
  compare(): void;
  /** Looking through all files for damaged ones. */
  readonly scrub: Pick<ScrubPart, "order">;
  readonly receipts: Pick<ReceiptPart, "ask">;
  /** What clients are served from, with what only peers have. */
  readonly files: FileStore;
  /** Leaves the trackers first, so that no new clients are sent here, then lets exchanges under way end. */
  stop(deadlineMs: number): Promise<void>;
}

export class StorageRole {
  readonly name = "storage";
  readonly #settings: StorageSettings;
  readonly #parts: StorageParts;

  constructor(settings: StorageSettings, parts: StorageParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Resolves once clients are served; rejects when the port cannot be had. */
  async start(): Promise<RunningStorage> {
    const { clock, log, store, state } = this.#parts;
    const counters = new StorageCounters(state.loadCounts());
    let port = this.#settings.port;
    let reporters: readonly TrackerReporter[] = [];
    const each = (act: (reporter: TrackerReporter) => void) => (): void => {
      for (const reporter of reporters) act(reporter);
    };
    const onNews = each((reporter) => reporter.attendSoon());
    const trunk = this.#trunkPart({ ownPort: () => port, onNews });
    const onRejoin = each((reporter) => reporter.rejoin());
    const group = this.#groupPart({ ownPort: () => port, onNews, onRejoin });
    const replication = this.#replication({ group, counters, ownPort: () => port });
    const local = this.#parts.clientStore ?? store;
    const relay = new PatientRelay(replication.relay, local, store.absences);
    const files = new FetchingFileStore(local, replication.fetcher, relay);
    const services = this.#services({ store: files, local, counters });
    const repair = this.#repair({ group, replication, counters, ownPort: () => port });
    const scrub = this.#scrub(replication, repair);
    const receipts = this.#receipts(replication, repair);
    const server = this.#server(services, { trunk, replication, repair, receipts });
    const listeners = await server.listen(this.#settings.bind, this.#settings.port);
    port = listeners[0]?.port ?? port;
    replication.start();
    repair.start();
    scrub.start();
    const stopping = new AbortController();
    let becameKnown = (): void => {};
    const known = new Promise<void>((resolve) => {
      becameKnown = resolve;
    });
    reporters = this.#reporters(server, counters, { port, onJoined: becameKnown, trunk, group });
    for (const reporter of reporters) {
      ignore(reporter.run(stopping.signal), log, "a reporter ends when the role stops");
    }
    store.onPathChange = each((reporter) => reporter.reportSoon());
    store.onPathAdded = (index, isOther) => {
      replication.addPath(index, isOther);
      repair.addPath(index);
    };
    const timer: Timer = clock.every(savePeriodMs, () => saveCounts(state, counters));
    return {
      port,
      known,
      files,
      scrub,
      receipts,
      snapshot: () => {
        const trackers = reporters.map((reporter) => reporter.status);
        const { connections } = server;
        const parts = { trunk: trunk.snapshot(), group: group.snapshot(trackers) };
        const replicating = { replication: replication.snapshot(), repair: repair.snapshot() };
        const { mode } = services;
        const scrubs = scrub.snapshot;
        return { mode, port, connections, counters, trackers, scrubs, ...parts, ...replicating };
      },
      compare: () => repair.comparison.request("asked"),
      stop: async (deadlineMs) => {
        stopping.abort(new Error("the storage role stops"));
        timer.cancel();
        const scrubbed = scrub.stop();
        const repaired = repair.stop();
        const ended = replication.stop();
        await server.stop(deadlineMs);
        await trunk.stop();
        await Promise.all([ended, repaired, scrubbed]);
        saveCounts(state, counters);
      },
    };
  }

  #services(how: {
    readonly store: FileStore;
    readonly local: FileStore;
    readonly counters: StorageCounters;
  }): StorageServices {
    const { clock, view, accessLog } = this.#parts;
    return new StorageServices({
      ...{ settings: this.#settings, clock, accessLog, ...how },
      addressOfId: (id) => view.addressOf(id),
      isRecovering: (address) =>
        view.directory.byAddress(address)?.status === storageStatus.recovery,
      isStorageOfC: (address) =>
        !view.isOwnAddress(address) && view.directory.byAddress(address)?.cairn === false,
      tableMode: () => view.ownMode,
    });
  }

  #trunkPart(how: Pick<TrunkPartParts, "ownPort" | "onNews">): TrunkPart {
    const { network, clock, log, view, store } = this.#parts;
    return new TrunkPart({ network, clock, log, view, store, settings: this.#settings, ...how });
  }

  #groupPart(how: Pick<GroupPartParts, "ownPort" | "onNews" | "onRejoin">): GroupPart {
    const { network, clock, log, view, state } = this.#parts;
    return new GroupPart({ network, clock, log, view, state, settings: this.#settings, ...how });
  }

  #replication(how: Pick<ReplicationParts, "group" | "counters" | "ownPort">): Replication {
    const { network, clock, log, store, state, paths = noPathMemory } = this.#parts;
    const ownDisk = (): string => firstDiskId(paths);
    const parts = { network, clock, log, store, state, ownDisk, settings: this.#settings };
    return new Replication({ ...parts, ...how });
  }

  /** The parts hear of each other by this only. */
  #repair(how: {
    readonly group: GroupPart;
    readonly replication: Replication;
    readonly counters: StorageCounters;
    readonly ownPort: () => number;
  }): RepairPart {
    const { network, clock, log, store, view, state, paths = noPathMemory } = this.#parts;
    const { group, replication } = how;
    const { held } = replication;
    const repair = new RepairPart({
      ...{ network, clock, log, store, view, paths, settings: this.#settings },
      ownPort: how.ownPort,
      wasSettled: state.loadMembership()?.syncSettled === true,
      isSettled: () => state.loadMembership()?.syncSettled === true,
      foreground: () => how.counters.served,
      heldUntil: () => held.compared(),
      onDoubt: (why) => held.doubt(why),
      onIncomplete: (why) => (why === undefined ? held.resume() : held.suspend(why)),
    });
    held.unknown = () => repair.unknown;
    replication.onBinlogGone = () => repair.comparison.request("binlog-lost");
    replication.owes = (id) => repair.owes(id);
    replication.onContest = (name) => repair.contested.note(name);
    group.membership.onFilled = () => repair.filled();
    return repair;
  }

  #scrub(replication: Replication, repair: RepairPart): ScrubPart {
    const { clock, log, store } = this.#parts;
    const scrub = new ScrubPart({
      ...{ clock, log, store, settings: this.#settings.scrub ?? scrubbedWhenAsked },
      copyOf: (name, crc32) => repair.copyOf(name, crc32),
      restore: (name) => replication.fetcher.restore(name),
    });
    replication.isAside = (name) => scrub.isAside(name);
    return scrub;
  }

  #receipts(replication: Replication, repair: RepairPart): ReceiptPart {
    const { clock, store, diskOf } = this.#parts;
    return new ReceiptPart({
      ...{ clock, scrubs: store.scrubs, group: this.#settings.group },
      placeOf: (index) => {
        const directory = store.paths.find((path) => path.index === index)?.directory ?? "";
        const pathId = store.inventories.identityOf(index)?.id ?? "";
        return { directory, pathId, diskId: diskOf?.(index) ?? "" };
      },
      ownId: () => replication.ownId,
      peers: () => repair.askable,
    });
  }

  #server(
    services: StorageServices,
    parts: {
      readonly trunk: TrunkPart;
      readonly replication: Replication;
      readonly repair: RepairPart;
      readonly receipts: ReceiptPart;
    },
  ): FrameServer<undefined> {
    const { trunk, replication, repair, receipts } = parts;
    const { network, clock, log, view, admits } = this.#parts;
    const handlers = new Map<number, HandlerEntry<undefined>>();
    addHandlers(handlers, common, { activeTest: () => {}, quit: () => {} });
    addHandlers(handlers, storageFiles, fileHandlers(services));
    addHandlers(handlers, storageMetadata, metadataHandlers(services));
    addHandlers(handlers, storageTrunk, trunk.handlers(services));
    replication.addHandlers(handlers, services);
    repair.addHandlers(handlers, services);
    addHandlers(handlers, fileReceipts, receipts.handlers(services));
    return new FrameServer<undefined>({
      network,
      clock,
      log,
      handlers,
      context: () => (view.parameters.addressWidth === 46 ? wideAddresses : narrowAddresses),
      statusOf: (error, where) => {
        const status = wireStatusOf(error);
        if (status === undefined) {
          log.error("request-failed", { ...where, why: String(error) });
          return wireStatus.ioError;
        }
        if (status !== wireStatus.notFound) {
          log.debug("request-refused", { ...where, status, why: String(error) });
        }
        return status;
      },
      newFacts: () => undefined,
      admits,
      maxConnections: this.#settings.maxConnections,
      networkTimeoutMs: this.#settings.networkTimeoutMs,
      maxBodyBytes,
      closesAfterInvalid: false,
      answersOversized: true,
    });
  }

  #reporters(
    server: FrameServer<undefined>,
    counters: StorageCounters,
    how: {
      readonly port: number;
      readonly onJoined: () => void;
      readonly trunk: TrunkPart;
      readonly group: GroupPart;
    },
  ): TrackerReporter[] {
    const { network, clock, log, store } = this.#parts;
    const startedSeconds = nowSeconds(clock);
    return this.#settings.trackers.map(
      (tracker) =>
        new TrackerReporter({
          tracker,
          settings: this.#settings,
          network,
          clock,
          log,
          group: how.group,
          startedSeconds,
          port: () => how.port,
          onJoined: how.onJoined,
          trunk: how.trunk.reports,
          paths: () => store.paths,
          statistics: () => ({
            values: counters.snapshot(server.connections),
            revision: counters.revision,
          }),
        }),
    );
  }
}

function saveCounts(state: StorageState, counters: StorageCounters): void {
  state.saveCounts(Object.fromEntries(counters.entries()));
}
