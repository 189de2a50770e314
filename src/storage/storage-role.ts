/**
 * The FastDFS storage role: a port that serves clients from the file store, and a reporter a tracker. The port opens as
 * soon as the store is there, with or without a tracker. Main thread.
 */
import { ignore, type Log } from "#base/log.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
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
import { wireStatus } from "#protocol/wire-status.ts";
import type { AccessLog } from "#storage/access-log.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import { fileHandlers } from "#storage/handlers/file-handlers.ts";
import { metadataHandlers } from "#storage/handlers/metadata-handlers.ts";
import { Membership, type StorageState } from "#storage/membership.ts";
import { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { type ReporterState, TrackerReporter } from "#storage/tracker-reporter.ts";
import { TrunkPart, type TrunkPartParts, type TrunkSnapshot } from "#storage/trunk-part.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";

/** A request without payload must be shorter than the original's default buffer, header included (protocol §1.7). */
const maxBodyBytes = 256 * 1024 - headerSize - 1;
/** Counts are saved this often, and at the end. */
const savePeriodMs = 60_000;

export interface StorageParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: LocalFileStore;
  readonly view: ClusterView;
  readonly state: StorageState;
  readonly admits: (address: string) => boolean;
  readonly accessLog: AccessLog | undefined;
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
}

export interface RunningStorage {
  readonly port: number;
  /** Resolves when the first tracker sends clients here. */
  readonly known: Promise<void>;
  snapshot(): StorageSnapshot;
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
    const { clock, log, store, view, state, accessLog } = this.#parts;
    const counters = new StorageCounters(state.loadCounts());
    const services = new StorageServices({
      settings: this.#settings,
      store,
      clock,
      counters,
      accessLog,
      addressOfId: (id) => view.addressOf(id),
    });
    let port = this.#settings.port;
    let reporters: readonly TrackerReporter[] = [];
    const trunk = this.#trunkPart({
      ownPort: () => port,
      onNews: () => {
        for (const reporter of reporters) reporter.attendTrunkSoon();
      },
    });
    const server = this.#server(services, trunk);
    const listeners = await server.listen(this.#settings.bind, this.#settings.port);
    port = listeners[0]?.port ?? port;
    const stopping = new AbortController();
    let becameKnown = (): void => {};
    const known = new Promise<void>((resolve) => {
      becameKnown = resolve;
    });
    reporters = this.#reporters(server, counters, { port, onJoined: becameKnown, trunk });
    for (const reporter of reporters) {
      ignore(reporter.run(stopping.signal), log, "a reporter ends when the role stops");
    }
    store.onPathChange = () => {
      for (const reporter of reporters) reporter.reportSoon();
    };
    const timer: Timer = clock.every(savePeriodMs, () => saveCounts(state, counters));
    return {
      port,
      known,
      snapshot: () => ({
        port,
        connections: server.connections,
        counters,
        trackers: reporters.map((reporter) => reporter.status),
        trunk: trunk.snapshot(),
      }),
      stop: async (deadlineMs) => {
        stopping.abort(new Error("the storage role stops"));
        timer.cancel();
        await server.stop(deadlineMs);
        await trunk.stop();
        saveCounts(state, counters);
      },
    };
  }

  #trunkPart(how: Pick<TrunkPartParts, "ownPort" | "onNews">): TrunkPart {
    const { network, clock, log, view, store } = this.#parts;
    return new TrunkPart({ network, clock, log, view, store, settings: this.#settings, ...how });
  }

  #server(services: StorageServices, trunk: TrunkPart): FrameServer<undefined> {
    const { network, clock, log, view, admits } = this.#parts;
    const handlers = new Map<number, HandlerEntry<undefined>>();
    addHandlers(handlers, common, { activeTest: () => {}, quit: () => {} });
    addHandlers(handlers, storageFiles, fileHandlers(services));
    addHandlers(handlers, storageMetadata, metadataHandlers(services));
    addHandlers(handlers, storageTrunk, trunk.handlers(services));
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
    how: { readonly port: number; readonly onJoined: () => void; readonly trunk: TrunkPart },
  ): TrackerReporter[] {
    const { network, clock, log, view, state, store } = this.#parts;
    const membership = new Membership(state, nowSeconds(clock));
    const startedSeconds = nowSeconds(clock);
    return this.#settings.trackers.map(
      (tracker) =>
        new TrackerReporter({
          tracker,
          settings: this.#settings,
          network,
          clock,
          log,
          view,
          membership,
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
