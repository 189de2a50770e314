/**
 * A storage role over a real store path that packs, with its thread, and a scripted tracker that says how the group divides its trunk
 * files. Everything is gone at the end.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { present } from "#base/assert.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { ClusterView } from "#storage/cluster-view.ts";
import { type RunningStorage, StorageRole } from "#storage/storage-role.ts";
import { ScriptedTracker } from "./scripted-tracker.ts";
import { StorageCaller } from "./storage-caller.ts";
import { MemoryState } from "./storage-stage.ts";
import { pathSettings } from "./store-fixture.ts";

const address = "127.0.0.1";

/** As the recorded clusters had them. */
export const trunkParameters: readonly (readonly [string, string])[] = [
  ["use_storage_id", "0"],
  ["use_trunk_file", "1"],
  ["slot_min_size", "256"],
  ["slot_max_size", "1048576"],
  ["trunk_alloc_alignment_size", "256"],
  ["trunk_file_size", "67108864"],
  ["trunk_free_space_merge", "1"],
];

export interface TrunkStageOptions {
  /** The tracker is one of ours, and says this of the group. */
  readonly packing?: "leased" | "served" | "off";
  readonly trunkFileId?: number;
  readonly paths?: number;
}

export class TrunkStage implements AsyncDisposable {
  readonly tracker = new ScriptedTracker();
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-trunk-"));
  readonly records: LogRecord[] = [];
  #store: LocalFileStore | undefined;
  #role: RunningStorage | undefined;
  /** The one that it had first. */
  #port = 0;
  readonly #clients: { close(): void }[] = [];

  static async start(options: TrunkStageOptions = {}): Promise<TrunkStage> {
    const stage = new TrunkStage();
    try {
      await stage.#start(options);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(options: TrunkStageOptions): Promise<void> {
    const { tracker } = this;
    tracker.parameters = trunkParameters.map(([name, value]) => [name, value]);
    if (options.packing !== undefined) tracker.parameters.push(["cairn", "test"]);
    tracker.packing = options.packing ?? "off";
    tracker.trunkFileId = options.trunkFileId ?? 0;
    await tracker.start();
    await this.open(options.paths ?? 1);
  }

  /** Starts the storage; again after `close`. */
  async open(paths = 1): Promise<void> {
    const network = new NodeNetwork();
    const log = new Log("trunk-stage", (record) => this.records.push(record));
    const view = new ClusterView(address);
    for (let index = 0; index < paths; index += 1) {
      mkdirSync(this.directory(index), { recursive: true });
    }
    const store = new LocalFileStore({
      paths: Array.from({ length: paths }, (_, index) => ({
        ...pathSettings(index, this.directory(index)),
        subdirCount: 16,
        packing: "on" as const,
      })),
      ...{ workers: nodeWorkers(), clock: nodeClock, log, diskTimeoutMs: 20_000 },
      reserved: () => ({ kind: "bytes", bytes: 0 }),
      policy: () => "round-robin",
    });
    this.#store = store;
    await store.start();
    const settings = {
      ...{
        group: GroupName("group1"),
        port: this.#port,
        bind: [address],
        address,
        joinFrom: address,
      },
      ...{ serverId: "", subdirCount: 16, uploadPriority: 10, maxConnections: 100 },
      trackers: [{ addresses: [address], port: this.tracker.port }],
      ...{ connectTimeoutMs: 1000, networkTimeoutMs: 5000 },
      ...{
        heartBeatIntervalMs: 50,
        freedSlotRestMs: 0,
        diskReportIntervalMs: 1000,
        version: "6.16.1",
      },
      sync: {
        hours: { startMinute: 0, endMinute: 1439 },
        fileIntervalMs: 0,
        bytesPerSecond: 0,
        connections: 4,
        skipsInvalid: true,
        fetchTimeoutMs: 5000,
        sourcePatienceMs: 120_000,
      },
      verifyIntervalMs: 0,
      recoveryLanes: 4,
      mode: "both" as const,
    };
    const state = new MemoryState();
    state.facts = {
      joinTime: 1,
      syncSettled: true,
      syncSource: undefined,
      syncUntil: 0,
      filled: true,
      ownAddresses: [],
    };
    const parts = { network, clock: nodeClock, log, store, view, state };
    this.#role = await new StorageRole(settings, {
      ...parts,
      admits: () => true,
      accessLog: undefined,
    }).start();
    this.#port = this.#role.port;
  }

  /** An orderly end of the storage; the tracker stays. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.#role?.stop(500);
    await this.#store?.close();
    this.#role = undefined;
    this.#store = undefined;
  }

  get store(): LocalFileStore {
    return present(this.#store, "the store");
  }

  get role(): RunningStorage {
    return present(this.#role, "the role");
  }

  directory(path = 0): string {
    return join(this.folder, `p${path}`);
  }

  /** This storage as trackers tell about it. */
  get brief(): StorageBrief {
    const { port } = this.role;
    return { status: storageStatus.active, port, id: StorageId(address), address };
  }

  /** The tracker tells who the trunk server is, and who else is in the group. */
  tell(trunkServer: StorageBrief | "none", others: readonly StorageBrief[] = []): void {
    this.tracker.changes = { ...noChanges, trunkServer, members: [this.brief, ...others] };
  }

  /** The trunk binlog as it lies on the disk. */
  get binlog(): string {
    return readFileSync(join(this.directory(), "data/trunk/binlog"), "latin1");
  }

  /** The snapshot beside it. */
  get snapshotText(): string {
    return readFileSync(join(this.directory(), "data/storage_trunk.dat"), "latin1");
  }

  async caller(): Promise<StorageCaller> {
    const caller = await StorageCaller.connect(this.role.port);
    this.#clients.push(caller);
    return caller;
  }

  async client(): Promise<FrameClient> {
    const where = { address, port: this.role.port, timeoutMs: 1000 };
    const client = await FrameClient.connect(where, {
      ...{ network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 5000 },
    });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.tracker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
