/**
 * Everything of a storage that has to do with trunk files in a group: how they are divided just now, being the trunk server, asking another one.
 * Puts the parts together and lets them follow what the trackers say. Main thread.
 */
import { ignore, type Log } from "#base/log.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { storageTrunk } from "#protocol/fastdfs/storage-trunk.ts";
import type { PackingMode } from "#protocol/peer/trunk-lease.ts";
import type { ClusterView } from "#storage/cluster-view.ts";
import { trunkHandlers } from "#storage/handlers/trunk-handlers.ts";
import { PackingControl } from "#storage/packing-control.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { pathForFile } from "#storage/trunk-advance.ts";
import { TrunkClient, type TrunkServerPlace } from "#storage/trunk-client.ts";
import { TrunkReplication } from "#storage/trunk-replication.ts";
import { TrunkReports } from "#storage/trunk-reports.ts";
import { TrunkServer, type TrunkServerState } from "#storage/trunk-server.ts";

export interface TrunkPartParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: LocalFileStore;
  readonly view: ClusterView;
  readonly settings: StorageSettings;
  /** Where this storage listens. */
  readonly ownPort: () => number;
  /** A tracker should be spoken to soon. */
  readonly onNews: () => void;
}

/** Deletions that were made by a member that serves have reached the others by then. */
const freedSlotRestMs = 60_000;

export interface TrunkSnapshot {
  readonly mode: PackingMode;
  readonly server: TrunkServerState;
  readonly freeMb: number;
  readonly fileId: number;
  /** What the trunk server has not been told yet. */
  readonly owed: number;
  /** Bytes of the trunk binlog that each other storage has. */
  readonly readers: ReadonlyMap<string, number>;
}

export class TrunkPart {
  readonly #parts: TrunkPartParts;
  readonly #control: PackingControl;
  readonly #server: TrunkServer;
  readonly #client: TrunkClient;
  readonly #replication: TrunkReplication;
  readonly reports: TrunkReports;
  #stopped = false;

  constructor(parts: TrunkPartParts) {
    this.#parts = parts;
    const { network, clock, log, store, view, settings, onNews } = parts;
    const { group, connectTimeoutMs, networkTimeoutMs, heartBeatIntervalMs } = settings;
    const binlog = store.trunkLog;
    this.#replication = new TrunkReplication({
      ...{ network, clock, log, binlog, connectTimeoutMs, networkTimeoutMs, heartBeatIntervalMs },
      ownPort: parts.ownPort,
      usesStorageIds: () => view.parameters.usesStorageIds,
      peers: () => view.members.filter((member) => !view.isOwn(member, parts.ownPort())),
    });
    this.#server = new TrunkServer({
      ...{ clock, log, binlog, onNews },
      subdirCount: settings.subdirCount,
      storePathCount: () => store.paths.length,
      slotsInUse: (slots) => store.packing.slotsInUse(slots),
      restMs: settings.freedSlotRestMs ?? freedSlotRestMs,
      pathForFile: (promised, fileBytes) => {
        const { reserved } = view.parameters;
        const pathCount = Math.max(1, store.paths.length);
        return pathForFile(store.paths, promised, { reserved, pathCount, fileBytes });
      },
      onGrown: () => this.#replication.wake(),
      readers: this.#replication,
    });
    this.#client = new TrunkClient({
      ...{ network, clock, log, group },
      own: this.#server,
      disk: binlog,
      server: () => this.#place(),
      takesSlots: () => !settings.avoidsForeignSlots || this.#isServerOurs(),
    });
    this.#control = new PackingControl({
      log,
      store: store.packing,
      onWanted: onNews,
      onModeChange: () => this.#follow(),
    });
    this.reports = new TrunkReports({ log, group, control: this.#control, server: this.#server });
    store.packing.slots = this.#client;
    this.#client.start();
    view.onGroupChange = () => this.#follow();
  }

  handlers(services: StorageServices): Handlers<typeof storageTrunk> {
    return trunkHandlers({
      services,
      clock: this.#parts.clock,
      server: this.#server,
      binlog: this.#parts.store.trunkLog,
      parameters: () => this.#control.parameters,
    });
  }

  snapshot(): TrunkSnapshot {
    return {
      mode: this.#control.mode,
      server: this.#server.state,
      freeMb: this.#server.freeMb,
      fileId: this.#server.currentFileId,
      owed: this.#client.owed,
      readers: this.#replication.offsets,
    };
  }

  /** While clients may still be served: the binlog gets what is due. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#client.close();
    await this.#replication.stop();
    await this.#server.end();
  }

  /** Begins or ends being the trunk server. */
  #follow(): void {
    if (this.#stopped) return;
    const { log } = this.#parts;
    if (this.#place() === "own") {
      this.#server.begin(this.#control.parameters);
      this.#replication.start();
    } else if (this.#server.state !== "off") {
      ignore(this.#replication.stop(), log, "readers end by themselves");
      ignore(this.#server.end(), log, "the lines are in memory, and go with the next ones");
    }
    this.#replication.refresh();
  }

  /** A trunk server of C that is killed gives slots again in which files of others stand (protocol §4.6). */
  #isServerOurs(): boolean {
    const { view } = this.#parts;
    return view.directory.byId(view.trunkServer?.id ?? "")?.cairn === true;
  }

  #place(): TrunkServerPlace | "own" | undefined {
    const { view, ownPort } = this.#parts;
    const { trunkServer } = view;
    if (this.#control.mode !== "served" || trunkServer === undefined) return undefined;
    return view.isOwn(trunkServer, ownPort()) ? "own" : trunkServer;
  }
}
