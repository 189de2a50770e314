/**
 * A FastDFS cluster in memory on loopback sockets: trackers and storages that speak through the declarations of
 * `src/protocol`, each of which can be stopped, started again, and told to misbehave. A write is on all storages of its group
 * at once, unless a test says otherwise.
 */
import { Log } from "#base/log.ts";
import type { Endpoint } from "#model/endpoint.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { addHandlers, type HandlerEntry, type Handlers } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { releaseNumber, type WireContext, WireReader } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import type { GroupStat, StorageStat } from "#protocol/fastdfs/monitoring.ts";
import { storageStatistics } from "#protocol/fastdfs/statistics.ts";
import {
  deleteStorage,
  getLeader,
  listGroups,
  listStorages,
  setTrunkServer,
} from "#protocol/fastdfs/tracker-admin.ts";
import { type FileQuery, trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { FakeStorage, statusOf } from "./fake-storage.ts";

export interface FakeClusterOptions {
  /** How many trackers; 1 by default. */
  readonly trackers?: number;
  /** Storages of each group by name; `{ group1: 1 }` by default. */
  readonly groups?: Readonly<Record<string, number>>;
  /** Width of addresses in replies: 16 by default. */
  readonly addressWidth?: 16 | 46;
  /** Answers QUERY_FETCH_ALL as releases before 6.16 do. */
  readonly oldFetchAll?: boolean;
  /** Each storage of a group has an address of its own, as in the world. */
  readonly apart?: boolean;
  readonly clock?: Clock;
}

/** Set and cleared by tests while the cluster runs. */
export interface TrackerFaults {
  /** Answers every query with this status. */
  refuse?: number;
  /** Takes requests and never answers. */
  silent?: boolean;
}

const loopback = "127.0.0.1";
const admin = {
  listGroups,
  listStorages,
  getLeader,
  activeTest,
  deleteStorage,
  setTrunkServer,
} as const;

export class FakeTracker {
  readonly faults: TrackerFaults = {};
  /** The refusal concerns messages alone whose names begin so. */
  onlyRefuses = "";
  /** Names of the messages that came, in order. */
  readonly asked: string[] = [];
  readonly address = loopback;
  port = 0;
  readonly #cluster: FakeCluster;
  #server: FrameServer<undefined> | undefined;
  #turn = 0;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  /** Listens on the port that it had before, if any. */
  async start(): Promise<void> {
    const { network, clock, context } = this.#cluster;
    const handlers = new Map<number, HandlerEntry<undefined>>();
    addHandlers(handlers, trackerQueries, this.#queries());
    addHandlers(handlers, admin, this.#monitoring());
    const server = new FrameServer<undefined>({
      network,
      clock,
      log: new Log("fake-tracker", () => {}),
      handlers,
      context: () => context,
      statusOf,
      newFacts: () => undefined,
      admits: () => true,
      maxConnections: 256,
      networkTimeoutMs: 5000,
      maxBodyBytes: 8192,
      closesAfterInvalid: false,
      answersOversized: false,
    });
    const [listener] = await server.listen([this.address], this.port);
    this.port = listener?.port ?? 0;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(0);
  }

  #queries(): Handlers<typeof trackerQueries> {
    const writers = async (name: string, group?: string): Promise<readonly FakeStorage[]> => {
      await this.#enter(name);
      return this.#writersOf(group);
    };
    const one = async (name: string, group?: string) => {
      const storages = await writers(name, group);
      const chosen = storages[this.#turn++ % storages.length] as FakeStorage;
      return { ...place(chosen), group: chosen.group, storePathIndex: 0 };
    };
    const all = async (name: string, group?: string) => {
      const storages = await writers(name, group);
      const servers = storages.map(place);
      return { group: (storages[0] as FakeStorage).group, servers, storePathIndex: 0 };
    };
    const reader = async (name: string, query: FileQuery, index: (n: number) => number) => {
      await this.#enter(name);
      const storages = this.#readersOf(query);
      const chosen = storages[index(storages.length)] as FakeStorage;
      return { ...place(chosen), group: chosen.group };
    };
    return {
      queryStore: () => one("queryStore"),
      queryStoreInGroup: ({ group }) => one("queryStoreInGroup", group),
      queryStoreAll: () => all("queryStoreAll"),
      queryStoreAllInGroup: ({ group }) => all("queryStoreAllInGroup", group),
      queryFetch: (query) => reader("queryFetch", query, (count) => this.#turn++ % count),
      queryUpdate: (query) => reader("queryUpdate", query, () => 0),
      queryFetchAll: async (query) => {
        await this.#enter("queryFetchAll");
        const storages = this.#readersOf(query);
        return { group: (storages[0] as FakeStorage).group, servers: storages.map(place) };
      },
    };
  }

  #monitoring(): Handlers<typeof admin> {
    return {
      activeTest: () => undefined,
      getLeader: () => ({ leader: this.#cluster.trackers[0] as Endpoint }),
      deleteStorage: async ({ group, id }) => {
        await this.#enter(`deleteStorage ${group} ${id}`);
      },
      setTrunkServer: async ({ group, id }) => {
        await this.#enter(`setTrunkServer ${group}`);
        return { id: StorageId(id ?? "100001") };
      },
      listGroups: async () => {
        await this.#enter("listGroups");
        return { groups: [...this.#cluster.groups].map(groupRecord) };
      },
      listStorages: async ({ group }) => {
        await this.#enter("listStorages");
        const storages = this.#cluster.groups.get(group);
        if (storages === undefined) throw new WireStatusError(wireStatus.notFound, group);
        return { storages: storages.map(storageRecord) };
      },
    };
  }

  async #enter(name: string): Promise<void> {
    this.asked.push(name);
    if (this.faults.silent === true) await new Promise(() => {});
    const { refuse } = this.faults;
    if (refuse !== undefined && name.startsWith(this.onlyRefuses))
      throw new WireStatusError(refuse, "told to refuse");
  }

  /** Of the named group, or of the groups in turn. */
  #writersOf(group: string | undefined): readonly FakeStorage[] {
    const { groups } = this.#cluster;
    const names = [...groups.keys()];
    const storages = groups.get(group ?? (names[this.#turn % names.length] as string));
    if (storages === undefined) throw new WireStatusError(wireStatus.notFound, String(group));
    return storages;
  }

  #readersOf(query: FileQuery): readonly FakeStorage[] {
    const storages = this.#cluster.groups.get(query.group);
    if (storages === undefined) throw new WireStatusError(wireStatus.notFound, query.group);
    return storages;
  }
}

export class FakeCluster implements AsyncDisposable {
  readonly network: Network = new NodeNetwork();
  readonly clock: Clock;
  readonly context: WireContext;
  readonly trackers: readonly FakeTracker[];
  readonly groups = new Map<string, readonly FakeStorage[]>();

  constructor(options: FakeClusterOptions = {}) {
    this.clock = options.clock ?? nodeClock;
    const addressWidth = options.addressWidth ?? 16;
    this.context =
      options.oldFetchAll === true
        ? { addressWidth, release: releaseNumber(6, 15, 0) }
        : { addressWidth };
    this.trackers = Array.from({ length: options.trackers ?? 1 }, () => new FakeTracker(this));
    for (const [group, count] of Object.entries(options.groups ?? { group1: 1 })) {
      const storages: FakeStorage[] = [];
      for (let index = 0; index < count; index += 1) {
        const storage = new FakeStorage({
          group,
          address: options.apart === true ? `127.0.0.${1 + index}` : loopback,
          network: this.network,
          clock: this.clock,
          context: () => this.context,
          replicas: () => storages.filter((other) => other !== storage),
        });
        storages.push(storage);
      }
      this.groups.set(group, storages);
    }
  }

  static async start(options: FakeClusterOptions = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(options);
    for (const server of [...cluster.trackers, ...cluster.storages]) await server.start();
    return cluster;
  }

  /** Of all groups, in order. */
  get storages(): readonly FakeStorage[] {
    return [...this.groups.values()].flat();
  }

  /** The only storage of a cluster that has one. */
  get storage(): FakeStorage {
    return this.storages[0] as FakeStorage;
  }

  get tracker(): FakeTracker {
    return this.trackers[0] as FakeTracker;
  }

  get trackerEndpoints(): readonly Endpoint[] {
    return this.trackers.map(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [...this.trackers, ...this.storages]) await server.stop();
  }
}

function place(server: Endpoint): Endpoint {
  return { address: server.address, port: server.port };
}

function groupRecord([group, storages]: readonly [string, readonly FakeStorage[]]): GroupStat {
  return {
    group: GroupName(group),
    totalMb: 2048,
    freeMb: 1024,
    reservedMb: 256,
    trunkFreeMb: 0,
    storageCount: storages.length,
    storagePort: 23000,
    readableCount: storages.length,
    writableCount: storages.length,
    currentWriteServer: 0,
    storePathCount: 1,
    subdirCount: 256,
    currentTrunkFileId: -1,
  };
}

function storageRecord(storage: FakeStorage, index: number): StorageStat {
  const noCounts = storageStatistics.decode(new WireReader(Buffer.alloc(348)), {
    addressWidth: 16,
  });
  return {
    status: storageStatus.active,
    mode: readWriteMode.both,
    id: StorageId(String(100001 + index)),
    address: storage.address,
    syncSource: undefined,
    version: "6.16.1",
    joinTime: 1700000000,
    upTime: 1700000000,
    totalMb: 2048,
    freeMb: 1024,
    reservedMb: 256,
    uploadPriority: 10,
    storePathCount: 1,
    subdirCount: 256,
    currentWritePath: 0,
    storagePort: storage.port,
    statistics: noCounts,
    isTrunkServer: false,
  };
}
