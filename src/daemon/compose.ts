/**
 * Puts a node together: mechanisms first, then roles, by hand, top to bottom. The only place that knows all parts. Called
 * once a process by the daemon, and as often as it likes by a simulation. Main thread.
 */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { MetricRegistry } from "#base/metrics.ts";
import type { Config } from "#config/schema.ts";
import { parseStorageIds } from "#config/storage-ids.ts";
import { Admission } from "#daemon/admission.ts";
import { explainListenFailure, type ListeningPart } from "#daemon/listen-failure.ts";
import { chooseNodeAddress } from "#daemon/node-address.ts";
import { registerNodeMetrics } from "#daemon/node-metrics.ts";
import { nodeName } from "#daemon/node-status.ts";
import {
  gatewaySettings,
  storagePathSettings,
  storageSettings,
  trackerSettings,
} from "#daemon/role-settings.ts";
import { RoleStack } from "#daemon/running-role.ts";
import { takesFiles } from "#filestore/file-store.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
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
import { ClusterView } from "#storage/cluster-view.ts";
import { type RunningStorage, StorageRole } from "#storage/storage-role.ts";
import { StorageTable } from "#storage/storage-table.ts";
import { type ImportedTracker, readBasePath } from "#tracker/system-files-import.ts";
import { type RunningTracker, TrackerRole } from "#tracker/tracker-role.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";

/** The own storage joins the own tracker within milliseconds, unless the settings keep them apart. */
const ownJoinLimitMs = 2000;
/** A store path may take this long beyond the deadline of a stop to write out what it has. */
export const closeGraceMs = 5000;

/** A node that serves. */
export interface RunningNode {
  readonly address: string;
  readonly tracker: RunningTracker | undefined;
  readonly storage: RunningStorage | undefined;
  readonly gateway: RunningGateway | undefined;
  readonly store: LocalFileStore | undefined;
  readonly metrics: MetricRegistry;
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
  #store: LocalFileStore | undefined;
  #view: ClusterView | undefined;
  #accessLogFile: AppendFile | undefined;

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
    this.#platform.workers.reserveFlushes?.(this.#config.storage.paths.length);
    const { roles } = this.#config.node;
    this.#platform.host.makeDirectory(this.#config.node.dataDir);
    const database = this.#openState();
    this.#admission.start();
    // The store opens its disks while the tracker is already answering.
    const storeStarted = roles.includes("storage") ? this.#startStore() : undefined;
    const trackerStarted = roles.includes("tracker") ? this.#startTracker(database) : undefined;
    const tracker = await bothStarted(trackerStarted, storeStarted);
    const storage = roles.includes("storage")
      ? await this.#startStorage(database, tracker?.listeners[0]?.port)
      : undefined;
    registerNodeMetrics(this.#metrics, {
      version: this.#version,
      name: nodeName(this.#config, this.#platform.host),
      clock: this.#platform.clock,
      host: this.#platform.host,
      store: this.#store,
      storage: storage === undefined ? undefined : () => storage.snapshot(),
    });
    const gateway = roles.includes("gateway") ? await this.#startGateway(storage) : undefined;
    if (tracker !== undefined && storage !== undefined) {
      // Ready means that a client of our tracker is sent here. A tracker elsewhere is not waited for.
      await Promise.race([storage.known, delay(this.#platform.clock, ownJoinLimitMs)]);
    }
    return {
      address: this.#address,
      tracker,
      storage,
      gateway,
      store: this.#store,
      metrics: this.#metrics,
      reload: (config) => {
        this.#admission.change(config.node.allowHosts);
      },
      reopenLogs: () => this.#accessLogFile?.reopen(),
      stop: (deadlineMs) => this.stop(deadlineMs),
    };
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#admission.stop();
    const endsMs = this.#platform.clock.monotonicMs() + deadlineMs + closeGraceMs;
    for (const { name, error } of await this.#roles.stop(deadlineMs)) {
      this.#log.error("role-not-stopped", { role: name, why: String(error) });
    }
    const closed = await this.#closeStore(endsMs - this.#platform.clock.monotonicMs());
    this.#accessLogFile?.close();
    this.#database?.close();
    this.#database = undefined;
    if (!closed) this.#platform.host.killSelf();
  }

  /** False when a disk hangs: waiting for its thread, as an ordinary exit does, would keep the process for ever. */
  async #closeStore(limitMs: number): Promise<boolean> {
    const store = this.#store;
    if (store === undefined) return true;
    const closed = store.close().then(() => true);
    const limit = delay(this.#platform.clock, limitMs).then(() => false);
    if (await Promise.race([closed, limit])) return true;
    const stuck = store.paths.filter(({ state }) => state !== "offline").map(({ index }) => index);
    this.#log.error("store-path-hangs", { paths: stuck.join(" "), end: "SIGKILL" });
    return false;
  }

  #openState(): Database {
    const path = posix.join(this.#config.node.dataDir, stateFilename);
    this.#database = openStateDatabase(this.#platform.databases, path, this.#log.for("state"));
    return this.#database;
  }

  async #startTracker(database: Database): Promise<RunningTracker> {
    const role = new TrackerRole(trackerSettings(this.#config, this.#storageIds()), {
      network: this.#platform.network,
      clock: this.#platform.clock,
      log: this.#log.for("tracker"),
      state: new TrackerTable(database),
      admits: (address) => this.#admission.admits(address),
      inheritance: () => this.#leftByTracker(),
    });
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

  #storageIds(): readonly StorageIdEntry[] | undefined {
    const path = this.#config.tracker.storageIdsFile;
    if (path === "") return undefined;
    const text = this.#platform.host.readText(path);
    if (text === undefined) {
      throw new AppError("config-invalid", `tracker.storage_ids_file: there is no file ${path}`);
    }
    return parseStorageIds(text, path);
  }

  async #startStore(): Promise<void> {
    const { host, workers, clock } = this.#platform;
    const paths = storagePathSettings(this.#config, this.#address);
    for (const { directory } of paths) {
      // Only directories of our own are made; a missing mount point must not become an empty store path.
      if (directory.startsWith(`${this.#config.node.dataDir}/`)) host.makeDirectory(directory);
    }
    const view = new ClusterView(this.#address);
    const store = new LocalFileStore({
      paths,
      workers,
      clock,
      log: this.#log.for("filestore"),
      reserved: () => this.#view?.parameters.reserved ?? this.#config.tracker.reservedSpace,
      policy: () => this.#view?.parameters.storePathPolicy ?? this.#config.tracker.storePath,
      diskTimeoutMs: this.#config.storage.diskTimeoutMs,
    });
    this.#view = view;
    this.#store = store;
    await store.start();
    view.onSourceChange = () => store.setSource(view.source);
  }

  async #startStorage(
    database: Database,
    ownTrackerPort: number | undefined,
  ): Promise<RunningStorage> {
    const { network, clock, host } = this.#platform;
    const store = this.#store;
    const view = this.#view;
    if (store === undefined || view === undefined) throw new Error("the store was not started");
    const ownTracker = {
      addresses: [this.#address],
      port: ownTrackerPort ?? this.#config.tracker.port,
    };
    const logPath = this.#config.storage.accessLog;
    if (logPath !== "") this.#accessLogFile = host.openAppend(logPath);
    const file = this.#accessLogFile;
    const role = new StorageRole(storageSettings(this.#config, this.#address, ownTracker), {
      network,
      clock,
      log: this.#log.for("storage"),
      store,
      view,
      state: new StorageTable(database),
      admits: (address) => this.#admission.admits(address),
      accessLog: file === undefined ? undefined : new AccessLog(clock, (line) => file.write(line)),
    });
    const running = await listening("storage", role.start());
    this.#roles.push("storage", running);
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

  async #startGateway(storage: RunningStorage | undefined): Promise<RunningGateway> {
    const store = this.#store;
    if (store === undefined) {
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
      files: new LocalFileSource(store, group),
      metrics: this.#metrics,
      readiness: () => readinessProblems(store, storage),
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
function readinessProblems(store: LocalFileStore, storage: RunningStorage | undefined): string[] {
  const problems = store.paths
    .filter(({ state }) => !takesFiles(state))
    .map((path) => `store path ${path.index} is ${path.state}: ${path.problem ?? "not ready"}`);
  const trackers = storage?.snapshot().trackers ?? [];
  if (trackers.length > 0 && trackers.every(({ state }) => state !== "joined")) {
    problems.push("no tracker knows this storage");
  }
  return problems;
}
