/**
 * One storage of the node from its store to its role: the only one, or a half of a mirror. The store opens its disks first; the role
 * follows when the node's tracker answers. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { Config } from "#config/schema.ts";
import { explainListenFailure } from "#daemon/listen-failure.ts";
import { diskPathSettings } from "#daemon/role-settings.ts";
import type { PlacedPath } from "#daemon/shelf-world.ts";
import type { HalfName, HalfPlan } from "#daemon/storage-halves.ts";
import type { FileStore } from "#filestore/file-store.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { PairedFileStore } from "#filestore/paired-file-store.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { Database } from "#platform/databases.ts";
import type { Platform } from "#platform/platform.ts";
import type { AccessLog } from "#storage/access-log.ts";
import { ClusterView } from "#storage/cluster-view.ts";
import { identifyPaths, PathTable } from "#storage/path-table.ts";
import { type RunningStorage, StorageRole } from "#storage/storage-role.ts";
import { StorageTable } from "#storage/storage-table.ts";

export interface StorageHalfParts {
  readonly platform: Platform;
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  /** That of the node. */
  readonly address: string;
  readonly admits: (address: string) => boolean;
  /** Store paths on disks of the node's own, beside those of the settings. */
  readonly placed: readonly PlacedPath[];
  /** Of the node's own disks, the one that a store path is served from. */
  readonly diskOf: (storePathIndex: number) => string | undefined;
}

export class StorageHalf {
  readonly #parts: StorageHalfParts;
  readonly #plan: HalfPlan;
  readonly #view: ClusterView;
  readonly store: LocalFileStore;
  /** What its clients are served from; of a mirror's half, with the other half's help. */
  #clientStore: FileStore;
  #storage: RunningStorage | undefined;

  constructor(plan: HalfPlan, parts: StorageHalfParts) {
    this.#plan = plan;
    this.#parts = parts;
    const { platform, config, address, placed } = parts;
    const paths = [...plan.paths, ...placed.map((path) => diskPathSettings(config, address, path))];
    this.#view = new ClusterView(address);
    this.store = new LocalFileStore({
      paths: paths.map(this.#identified),
      absent: new Map(
        placed.flatMap(({ index, why }) => (why === undefined ? [] : [[index, why]])),
      ),
      workers: platform.workers,
      resident: platform.resident,
      clock: platform.clock,
      log: this.#logOf("filestore"),
      reserved: () => this.#learnt?.reserved ?? config.tracker.reservedSpace,
      policy: () => this.#learnt?.storePathPolicy ?? config.tracker.storePath,
      diskTimeoutMs: config.storage.diskTimeoutMs,
      // Disks may come later.
      startsUnserved: plan.half !== undefined || config.disks.manage,
    });
    this.#clientStore = this.store;
  }

  /** Undefined where the node is one storage. */
  get half(): HalfName | undefined {
    return this.#plan.half;
  }

  /** Once `start` has resolved. */
  get storage(): RunningStorage | undefined {
    return this.#storage;
  }

  async openStore(): Promise<void> {
    const { platform, config } = this.#parts;
    for (const { directory } of this.#plan.paths) {
      // Only directories of our own are made; a missing mount point must not become an empty store path.
      if (directory.startsWith(`${config.node.dataDir}/`)) platform.host.makeDirectory(directory);
    }
    await this.store.start();
    this.#view.onSourceChange = () => this.store.setSource(this.#view.source);
  }

  /** A store path on a disk that has come. See `StorePaths.add`. */
  addPath(placed: PlacedPath): Promise<void> {
    const { config, address } = this.#parts;
    const settings = diskPathSettings(config, address, placed);
    return this.store.addPath(this.#identified(settings));
  }

  /** What is remembered of the path, and an id in case that it carries none. */
  get #identified(): (path: StorePathSettings) => StorePathSettings {
    const { database, platform } = this.#parts;
    return identifyPaths(new PathTable(database, this.#plan.tables), platform.random);
  }

  /** Before `start`: clients of this half are helped by `other`. */
  pairWith(other: StorageHalf): void {
    this.#clientStore = new PairedFileStore(this.store, other.store);
  }

  async start(
    ownTracker: ServerEndpoint,
    accessLog: AccessLog | undefined,
  ): Promise<RunningStorage> {
    const { platform, database, admits, diskOf } = this.#parts;
    const { tables } = this.#plan;
    const role = new StorageRole(this.#plan.settings(ownTracker), {
      network: platform.network,
      clock: platform.clock,
      log: this.#logOf("storage"),
      store: this.store,
      clientStore: this.#clientStore,
      view: this.#view,
      state: new StorageTable(database, tables),
      paths: new PathTable(database, tables),
      admits,
      diskOf,
      accessLog,
    });
    try {
      this.#storage = await role.start();
      return this.#storage;
    } catch (error) {
      throw explainListenFailure("storage", error);
    }
  }

  /** What a tracker has told; undefined before the role serves. */
  get #learnt() {
    return this.#storage === undefined ? undefined : this.#view.parameters;
  }

  #logOf(area: string): Log {
    const { log } = this.#parts;
    return log.for(this.half === "second" ? `${area}.second` : area);
  }
}
