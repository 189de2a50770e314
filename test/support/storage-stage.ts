/** A storage role over store paths with fake engines, and a client of it. */
import type { LogRecord } from "#base/log.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { AccessLog } from "#storage/access-log.ts";
import { ClusterView } from "#storage/cluster-view.ts";
import type { MembershipFacts, StorageState } from "#storage/membership.ts";
import type { SavedPeer } from "#storage/peer-directory.ts";
import { type RunningStorage, StorageRole } from "#storage/storage-role.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { HeldPosition } from "#sync/held-positions.ts";
import { collectedLog } from "./frame-fixture.ts";
import { type InThreadWorkers, inThreadWorkers } from "./in-thread-workers.ts";
import { pathSettings } from "./store-fixture.ts";

export class MemoryState implements StorageState {
  facts: MembershipFacts | undefined;
  counts: Readonly<Record<string, { readonly total: number; readonly success: number }>> = {};
  loadMembership = (): MembershipFacts | undefined => this.facts;
  saveMembership(facts: MembershipFacts): void {
    this.facts = facts;
  }
  peers: readonly SavedPeer[] = [];
  loadPeers = (): readonly SavedPeer[] => this.peers;
  savePeers(peers: readonly SavedPeer[]): void {
    this.peers = peers;
  }
  loadCounts = () => this.counts;
  held: ReadonlyMap<StorageId, HeldPosition> = new Map();
  loadHeld = () => this.held;
  saveHeld(held: ReadonlyMap<StorageId, HeldPosition>): void {
    this.held = new Map(held);
  }
  saveCounts(counts: MemoryState["counts"]): void {
    this.counts = counts;
  }
}

export interface StorageStage extends AsyncDisposable {
  readonly role: RunningStorage;
  readonly store: LocalFileStore;
  readonly workers: InThreadWorkers;
  readonly view: ClusterView;
  readonly state: MemoryState;
  readonly records: LogRecord[];
  readonly accessLines: string[];
  client(): Promise<FrameClient>;
}

const stageSettings: StorageSettings = {
  group: GroupName("group1"),
  port: 0,
  bind: ["127.0.0.1"],
  address: "127.0.0.1",
  joinFrom: undefined,
  serverId: "",
  trackers: [],
  subdirCount: 256,
  uploadPriority: 10,
  maxConnections: 100,
  connectTimeoutMs: 1000,
  networkTimeoutMs: 5000,
  heartBeatIntervalMs: 1000,
  diskReportIntervalMs: 1000,
  version: "6.16.0",
  verifyIntervalMs: 0,
  recoveryLanes: 4,
  sync: {
    hours: { startMinute: 0, endMinute: 1439 },
    fileIntervalMs: 0,
    bytesPerSecond: 0,
    connections: 4,
    skipsInvalid: true,
    fetchTimeoutMs: 5000,
    sourcePatienceMs: 120_000,
  },
  mode: "both",
};

export async function storageStage(
  changes: Partial<StorageSettings> = {},
  paths = 1,
): Promise<StorageStage> {
  const network = new NodeNetwork();
  const clock = nodeClock;
  const { log, records } = collectedLog();
  const workers = inThreadWorkers(true);
  const view = new ClusterView("127.0.0.1");
  const store = new LocalFileStore({
    paths: Array.from({ length: paths }, (_, index) => pathSettings(index)),
    workers,
    clock,
    log,
    reserved: () => view.parameters.reserved,
    policy: () => view.parameters.storePathPolicy,
    diskTimeoutMs: 20_000,
  });
  await store.start();
  const settings = { ...stageSettings, ...changes };
  const state = new MemoryState();
  const accessLines: string[] = [];
  const accessLog = new AccessLog(clock, (line) => accessLines.push(line));
  const parts = { network, clock, log, store, view, state, admits: () => true, accessLog };
  const role = await new StorageRole(settings, parts).start();
  const clients: FrameClient[] = [];
  return {
    role,
    store,
    workers,
    view,
    state,
    records,
    accessLines,
    client: async () => {
      const where = { address: "127.0.0.1", port: role.port, timeoutMs: 1000 };
      const client = await FrameClient.connect(where, { network, clock, networkTimeoutMs: 5000 });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      await role.stop(0);
      await store.close();
    },
  };
}
