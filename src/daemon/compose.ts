/**
 * Puts a node together: mechanisms first, then roles, by hand, top to bottom. The only place that knows all parts. Called
 * once a process by the daemon, and as often as it likes by a simulation. Main thread.
 */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { MetricRegistry } from "#base/metrics.ts";
import type { Config } from "#config/schema.ts";
import { Admission } from "#daemon/admission.ts";
import type { DiskImports } from "#daemon/disk-imports.ts";
import { publicReceipt } from "#daemon/file-receipt.ts";
import { explainListenFailure, type ListeningPart } from "#daemon/listen-failure.ts";
import { requireDistinctDisks } from "#daemon/mirror-disks.ts";
import { chooseNodeAddress } from "#daemon/node-address.ts";
import { type NodeDiskHealth, startDiskHealth } from "#daemon/node-disk-health.ts";
import { startInventory } from "#daemon/node-disks.ts";
import { openIdentity } from "#daemon/node-identity.ts";
import { startImports } from "#daemon/node-imports.ts";
import { registerNodeMetrics } from "#daemon/node-metrics.ts";
import { nodeName } from "#daemon/node-status.ts";
import { OwnDisks } from "#daemon/own-disks.ts";
import { gatewaySettings, trackerSettings } from "#daemon/role-settings.ts";
import { RoleStack } from "#daemon/running-role.ts";
import { finishRestore } from "#daemon/state-restore.ts";
import { StorageHalf } from "#daemon/storage-half.ts";
import { type HalfName, mirrorStorageIds, storageHalves } from "#daemon/storage-halves.ts";
import { readStorageIdsFile } from "#daemon/storage-ids-file.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";
import { takesFiles } from "#filestore/file-store.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { contentTypeOf } from "#gateway/content-type.ts";
import { GatewayRole, type RunningGateway } from "#gateway/gateway-role.ts";
import type { FailDocument } from "#gateway/gateway-settings.ts";
import { LocalFileSource } from "#gateway/local-file-source.ts";
import { GroupName } from "#model/group-name.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { delay } from "#platform/clock.ts";
import type { Database } from "#platform/databases.ts";
import type { AppendFile } from "#platform/host.ts";
import type { Platform } from "#platform/platform.ts";
import { openStateDatabase, stateFilename } from "#state/state-database.ts";
import { AccessLog } from "#storage/access-log.ts";
import type { RunningStorage } from "#storage/storage-role.ts";
import { type ImportedTracker, readBasePath } from "#tracker/system-files-import.ts";
import { type RunningTracker, TrackerRole } from "#tracker/tracker-role.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";

/** The own storage joins the own tracker within milliseconds, unless the settings keep them apart. */
const ownJoinLimitMs = 2000;
/** Disks that may come while the node runs, without one that hangs holding up the flushes of others. */
const flushedDisks = 8;
/** A store path may take this long beyond the deadline of a stop to write out what it has. */
export const closeGraceMs = 5000;

/** One storage of the node, with its store. */
export interface NodeStorage {
  readonly half: HalfName | undefined;
  readonly store: LocalFileStore;
  readonly storage: RunningStorage;
}

/** A node that serves. */
export interface RunningNode {
  readonly address: string;
  readonly tracker: RunningTracker | undefined;
  readonly storage: RunningStorage | undefined;
  readonly gateway: RunningGateway | undefined;
  readonly store: LocalFileStore | undefined;
  /** The second half of a mirror, of which `storage` and `store` are the first. */
  readonly mirror?: NodeStorage | undefined;
  /** Left out where nobody looks at disks. */
  readonly disks?: DiskInventory | undefined;
  readonly diskHealth?: NodeDiskHealth | undefined;
  readonly metrics: MetricRegistry;
  /** Where the node looks after its disks. */
  readonly ownDisks?: OwnDisks | undefined;
  /** Left out where no files are stored. */
  readonly imports?: DiskImports | undefined;
  /** Takes over what can change without a restart. */
  reload(config: Config): void;
  /** Starts the logs that people rotate anew. */
  reopenLogs(): void;
  /**
   * Roles, then the store, then the state. Where a disk hangs for longer than the deadline and some grace, this ends the
   * process with SIGKILL: there is no other way out of a thread that is in the kernel.
   */
  stop(deadlineMs: number): Promise<void>;
}

/** Starts a node; what was started is stopped again when a later part cannot be. */
export async function startNode(
  platform: Platform,
  config: Config,
  parts: { readonly log: Log; readonly version: string },
): Promise<RunningNode> {
  const composition = new Composition(platform, config, parts);
  try {
    return await composition.start();
  } catch (error) {
    await composition.stop(0);
    throw error;
  }
}

class Composition {
  readonly #platform: Platform;
  readonly #config: Config;
  readonly #log: Log;
  readonly #version: string;
  readonly #roles = new RoleStack();
  readonly #address: string;
  readonly #metrics = new MetricRegistry();
  readonly #admission: Admission;
  #database: Database | undefined;
  #halves: readonly StorageHalf[] = [];
  #accessLogFile: AppendFile | undefined;
  #disks: DiskInventory | undefined;
  #diskHealth: NodeDiskHealth | undefined;
  #ownDisks: OwnDisks | undefined;
  #imports: DiskImports | undefined;

  constructor(
    platform: Platform,
    config: Config,
    parts: { readonly log: Log; readonly version: string },
  ) {
    this.#platform = platform;
    this.#config = config;
    this.#log = parts.log;
    this.#version = parts.version;
    const { address, bind } = config.node;
    this.#address = chooseNodeAddress(address, bind, platform.network.addresses());
    const { network, clock } = platform;
    this.#admission = new Admission(config.node.allowHosts, { network, clock, log: parts.log });
  }

  async start(): Promise<RunningNode> {
    const { disks, storage: settings } = this.#config;
    const reserved = settings.paths.length + (disks.manage ? flushedDisks : 0);
    this.#platform.workers.reserveFlushes?.(reserved);
    const { roles, dataDir } = this.#config.node;
    this.#platform.host.makeDirectory(dataDir);
    finishRestore(this.#platform.host, dataDir, this.#log.for("state"));
    const database = this.#openState();
    this.#admission.start();
    this.#disks = startInventory(this.#platform, this.#config, {
      ...{ log: this.#log.for("disks"), metrics: this.#metrics },
    });
    // The store opens its disks while the tracker is already answering.
    const storeStarted = roles.includes("storage") ? this.#startStore(database) : undefined;
    const trackerStarted = roles.includes("tracker") ? this.#startTracker(database) : undefined;
    const tracker = await bothStarted(trackerStarted, storeStarted);
    const storages = await this.#startStorages(tracker?.listeners[0]?.port);
    this.#startDiskHealth(database, storages);
    this.#imports = startImports(this.#platform, this.#config, {
      ...{ log: this.#log.for("import"), storage: storages[0] },
      ...{ address: this.#address, foreign: this.#ownDisks?.foreign },
    });
    const [first, mirror] = storages;
    const { store, storage } = first ?? {};
    registerNodeMetrics(this.#metrics, {
      version: this.#version,
      name: nodeName(this.#config, this.#platform.host),
      clock: this.#platform.clock,
      host: this.#platform.host,
      tracker: tracker === undefined ? undefined : () => tracker.snapshot(),
      store,
      storage: storage === undefined ? undefined : () => storage.snapshot(),
      ...(mirror === undefined
        ? {}
        : { mirror: { store: mirror.store, storage: () => mirror.storage.snapshot() } }),
    });
    const gateway = roles.includes("gateway") ? await this.#startGateway(storages) : undefined;
    if (tracker !== undefined && storage !== undefined) {
      // Ready means that a client of our tracker is sent here. A tracker elsewhere is not waited for.
      const known = Promise.race(storages.map((each) => each.storage.known));
      await Promise.race([known, delay(this.#platform.clock, ownJoinLimitMs)]);
    }
    return {
      address: this.#address,
      tracker,
      storage,
      gateway,
      store,
      mirror,
      disks: this.#disks,
      diskHealth: this.#diskHealth,
      metrics: this.#metrics,
      ownDisks: this.#ownDisks,
      imports: this.#imports,
      reload: (config) => {
        this.#admission.change(config.node.allowHosts);
      },
      reopenLogs: () => this.#accessLogFile?.reopen(),
      stop: (deadlineMs) => this.stop(deadlineMs),
    };
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#admission.stop();
    this.#imports?.stop();
    this.#diskHealth?.stop();
    this.#disks?.stop();
    const endsMs = this.#platform.clock.monotonicMs() + deadlineMs + closeGraceMs;
    for (const { name, error } of await this.#roles.stop(deadlineMs)) {
      this.#log.error("role-not-stopped", { role: name, why: String(error) });
    }
    const isFree = (await this.#ownDisks?.stop()) !== false;
    const closed = await this.#closeStore(endsMs - this.#platform.clock.monotonicMs());
    this.#accessLogFile?.close();
    this.#database?.close();
    this.#database = undefined;
    if (!closed || !isFree) this.#platform.host.killSelf();
  }

  /** False when a disk hangs: waiting for its thread, as an ordinary exit does, would keep the process for ever. */
  async #closeStore(limitMs: number): Promise<boolean> {
    const closed = Promise.all(this.#halves.map(({ store }) => store.close())).then(() => true);
    const limit = delay(this.#platform.clock, limitMs).then(() => false);
    if (await Promise.race([closed, limit])) return true;
    const stuck = this.#halves
      .flatMap(({ store }) => store.paths)
      .filter(({ state }) => state !== "offline")
      .map(({ directory }) => directory);
    this.#log.error("store-path-hangs", { paths: stuck.join(" "), end: "SIGKILL" });
    return false;
  }

  #startDiskHealth(database: Database, storages: readonly NodeStorage[]): void {
    if (this.#disks === undefined) return;
    const helper = this.#ownDisks?.helper;
    this.#diskHealth = startDiskHealth(this.#platform, this.#config, {
      ...{ database, storages, inventory: this.#disks },
      ...(helper === undefined ? {} : { helper }),
      unreadableAt: (disk) => this.#ownDisks?.blanks?.unreadableAt(disk),
      log: this.#log.for("disks"),
      metrics: this.#metrics,
    });
    const health = this.#diskHealth;
    if (this.#ownDisks === undefined || health === undefined) return;
    this.#ownDisks.mayReadDisk = (name) => health.activity.mayRead(name);
    this.#ownDisks.illnessOf = (disk) => {
      const { verdict } = health.notesOf(disk);
      return verdict === "failing" || verdict === "failed" ? `is ${verdict}` : undefined;
    };
  }

  #openState(): Database {
    const path = posix.join(this.#config.node.dataDir, stateFilename);
    this.#database = openStateDatabase(this.#platform.databases, path, this.#log.for("state"));
    return this.#database;
  }

  async #startTracker(database: Database): Promise<RunningTracker> {
    const settings = trackerSettings(this.#config, await this.#storageIds());
    const ofMirror = mirrorStorageIds(this.#config, this.#address);
    // Only ids tell the halves of a mirror apart, in names as well.
    const known = ofMirror === undefined ? {} : ({ idTypeInFilename: "id" } as const);
    const role = new TrackerRole(
      { ...settings, ...known },
      {
        network: this.#platform.network,
        clock: this.#platform.clock,
        random: this.#platform.random,
        log: this.#log.for("tracker"),
        state: new TrackerTable(database),
        admits: (address) => this.#admission.admits(address),
        inheritance: () => this.#leftByTracker(),
      },
    );
    const running = await listening("tracker", role.start(new AbortController().signal));
    this.#roles.push("tracker", {
      stop: async () => {
        await running[Symbol.asyncDispose]();
      },
    });
    return running;
  }

  #leftByTracker(): ImportedTracker | undefined {
    const path = this.#config.tracker.adoptBasePath;
    return path === ""
      ? undefined
      : readBasePath(path, (file) => this.#platform.host.readText(file));
  }

  async #storageIds(): Promise<readonly StorageIdEntry[] | undefined> {
    const path = this.#config.tracker.storageIdsFile;
    if (path === "") return mirrorStorageIds(this.#config, this.#address);
    const { host, network } = this.#platform;
    return await readStorageIdsFile(path, { host, network, log: this.#log.for("tracker") });
  }

  async #startStore(database: Database): Promise<void> {
    const disks = this.#openOwnDisks(database);
    this.#ownDisks = disks;
    const placed = (await disks?.begin()) ?? [];
    this.#halves = storageHalves(this.#config, this.#address).map(
      (plan) =>
        new StorageHalf(plan, {
          platform: this.#platform,
          config: this.#config,
          log: this.#log,
          database,
          address: this.#address,
          admits: (address) => this.#admission.admits(address),
          placed,
          diskOf: (index) => disks?.shelf.diskOf(index),
        }),
    );
    const opened = this.#halves.map((half) => half.openStore());
    for (const end of await Promise.allSettled(opened)) {
      if (end.status === "rejected") throw end.reason;
    }
    const [first, second] = this.#halves;
    if (first !== undefined) disks?.start(first);
    if (first === undefined || second === undefined) return;
    requireDistinctDisks(first.store, second.store, this.#config.storage.mirror.oneDisk);
    first.pairWith(second);
    second.pairWith(first);
  }

  #openOwnDisks(database: Database): OwnDisks | undefined {
    const { host, random } = this.#platform;
    const { dataDir } = this.#config.node;
    const { identity, isNew } = openIdentity(host, random, dataDir);
    if (isNew) this.#log.notice("node-identity-made", { node: identity.id });
    if (!this.#config.disks.manage) return undefined;
    return new OwnDisks({
      ...{ platform: this.#platform, config: this.#config, database, identity },
      inventory: this.#disks,
      log: this.#log.for("disks"),
    });
  }

  async #startStorages(ownTrackerPort: number | undefined): Promise<readonly NodeStorage[]> {
    const { host, clock } = this.#platform;
    const port = ownTrackerPort ?? this.#config.tracker.port;
    const ownTracker = { addresses: [this.#address], port };
    const logPath = this.#config.storage.accessLog;
    if (logPath !== "" && this.#halves.length > 0) this.#accessLogFile = host.openAppend(logPath);
    const file = this.#accessLogFile;
    const log = file === undefined ? undefined : new AccessLog(clock, (line) => file.write(line));
    const running: NodeStorage[] = [];
    for (const each of this.#halves) {
      const storage = await each.start(ownTracker, log);
      this.#roles.push("storage", storage);
      running.push({ half: each.half, store: each.store, storage });
    }
    return running;
  }

  /** What is served in place of a file whose token is wrong. */
  #failDocument(): FailDocument | undefined {
    const { antiLeech, defaultContentType } = this.#config.gateway;
    const { failFile } = antiLeech;
    if (failFile === "") return undefined;
    const bytes = this.#platform.host.readBytes(failFile);
    if (bytes !== undefined) {
      const extension = posix.extname(failFile).slice(1);
      return { bytes, contentType: contentTypeOf(extension, defaultContentType) };
    }
    throw new AppError(
      "config-invalid",
      `gateway.anti_leech.fail_file: there is no file ${failFile}`,
    );
  }

  async #startGateway(storages: readonly NodeStorage[]): Promise<RunningGateway> {
    const [first] = storages;
    if (first === undefined) {
      throw new AppError(
        "config-invalid",
        'node.roles: the gateway serves the files of this node and needs the role "storage" beside it',
      );
    }
    const group = GroupName(this.#config.storage.group);
    const settings = gatewaySettings(this.#config, group, this.#failDocument());
    const role = new GatewayRole(settings, {
      clock: this.#platform.clock,
      log: this.#log.for("gateway"),
      random: this.#platform.random,
      files: new LocalFileSource(first.storage.files, group),
      metrics: this.#metrics,
      readiness: () => storages.flatMap(readinessProblems),
      receipt: ({ group: asked, name }) => publicReceipt(storages, group, `${asked}/${name}`),
    });
    const running = await listening("gateway", role.start(new AbortController().signal));
    this.#roles.push("gateway", running);
    return running;
  }
}

/** Waits for both, whichever fails: what has started must be known when everything is stopped again. */
async function bothStarted<T>(role: Promise<T> | undefined, store: Promise<void> | undefined) {
  const [roleEnd, storeEnd] = await Promise.allSettled([role, store]);
  if (roleEnd.status === "rejected") throw roleEnd.reason;
  if (storeEnd.status === "rejected") throw storeEnd.reason;
  return roleEnd.value;
}

async function listening<T>(part: ListeningPart, start: Promise<T>): Promise<T> {
  try {
    return await start;
  } catch (error) {
    throw explainListenFailure(part, error);
  }
}

/** Why a load balancer should look elsewhere, in words; nothing where all is well. */
function readinessProblems({ store, storage }: NodeStorage): string[] {
  const problems = store.paths
    .filter(({ state }) => !takesFiles(state))
    .map((path) => `store path ${path.index} is ${path.state}: ${path.problem ?? "not ready"}`);
  const { trackers } = storage.snapshot();
  if (trackers.length > 0 && trackers.every(({ state }) => state !== "joined")) {
    problems.push("no tracker knows this storage");
  }
  return problems;
}
