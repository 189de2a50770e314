/**
 * A tracker that speaks through the declarations and does what the test says: it answers joins, beats and reports, notes each
 * message, and can refuse any of them.
 */
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { addHandlers, type HandlerEntry, type Handlers } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { type ChangeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { type Parameter, trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { type JoinRequest, trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import type { RequestOf } from "#protocol/message.ts";
import { heldReports } from "#protocol/peer/report-held.ts";
import { type PackingMode, trunkLease } from "#protocol/peer/trunk-lease.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { storageLike } from "./frame-fixture.ts";

const { getMyIp, requestParameters, fetchStorageIds, getStorageId, getStorageStatus } =
  trackerLookups;
const lookups = { getMyIp, requestParameters, fetchStorageIds, getStorageId, getStorageStatus };
const { storageJoin, storageBeat, reportDiskUsage, requestSyncSource, notifySyncSource } =
  trackerReports;
const { fetchTrunkFileId, reportTrunkFileId, reportTrunkFree } = trackerReports;
const reports = {
  storageJoin,
  storageBeat,
  reportDiskUsage,
  requestSyncSource,
  notifySyncSource,
  fetchTrunkFileId,
  reportTrunkFileId,
  reportTrunkFree,
  reportSync: trackerReports.reportSync,
  reportReplicas: trackerReports.reportReplicas,
  reportStatus: trackerReports.reportStatus,
  requestSyncSourceOf: trackerReports.requestSyncSourceOf,
  querySyncSource: trackerReports.querySyncSource,
  reportIpChanged: trackerReports.reportIpChanged,
  requestChangelog: trackerReports.requestChangelog,
  changeStorageStatus: trackerReports.changeStorageStatus,
  deleteStorage: trackerAdmin.deleteStorage,
  listOneGroup: trackerAdmin.listOneGroup,
  getTrackerStatus: trackerCluster.getTrackerStatus,
  notifyReselectLeader: trackerCluster.notifyReselectLeader,
  ...trunkLease,
  ...heldReports,
};

type GroupCall =
  | "reportSync"
  | "reportReplicas"
  | "reportStatus"
  | "requestSyncSourceOf"
  | "querySyncSource"
  | "reportIpChanged"
  | "requestChangelog"
  | "changeStorageStatus"
  | "deleteStorage"
  | "listOneGroup"
  | "getTrackerStatus"
  | "notifyReselectLeader"
  | "reportHeld";

const groupLike = {
  ...{ totalMb: 0, freeMb: 0, reservedMb: 0, trunkFreeMb: 0, storageCount: 1, storagePort: 23000 },
  ...{ readableCount: 1, writableCount: 1, currentWriteServer: 0, subdirCount: 256 },
  currentTrunkFileId: -1,
};

export type TrackerCall = keyof typeof lookups | keyof typeof reports;

export class ScriptedTracker {
  /** In order of arrival. */
  readonly calls: TrackerCall[] = [];
  readonly joins: JoinRequest[] = [];
  readonly notices: { readonly source: string | undefined; readonly until: number }[] = [];
  readonly diskReports: (readonly { totalMb: number; freeMb: number }[])[] = [];
  /** For each beat whether it carried statistics. */
  readonly beats: boolean[] = [];
  /** Statuses to answer with instead of a reply; one for each call, the last for all that follow. */
  readonly refusals = new Map<TrackerCall, number[]>();
  parameters: Parameter[] = [["use_storage_id", "0"]];
  ids: StorageIdEntry[] = [];
  idsPerPage = 100;
  address = "127.0.0.1";
  status: StorageStatus = storageStatus.online;
  syncSource: { readonly source: StorageId; readonly until: number } | undefined;
  /** What it answers to 79, and to 86. */
  recordedSource: { readonly source: StorageId; readonly until: number } | undefined;
  /** How it has the storage that asks; undefined: not at all. */
  record: StorageStatus | undefined;
  /** Lines for whoever asks next. */
  changelog = "";
  readonly received: (readonly { readonly id: string; readonly timestamp: number }[])[] = [];
  readonly replicas: (readonly StorageBrief[])[] = [];
  readonly statusReports: StorageBrief[] = [];
  leads = false;
  readonly deleted: string[] = [];
  readonly toldStatuses: StorageStatus[] = [];
  readonly moves: { readonly oldAddress: string; readonly newAddress: string }[] = [];
  readonly held: RequestOf<typeof heldReports.reportHeld>[] = [];
  changes: ChangeReport = noChanges;
  /** The newest number of a trunk file; leases raise it. */
  trunkFileId = 0;
  trunkFreeMb = -1;
  /** Store paths that the group has, where it insists on that as C does. */
  groupPaths: number | undefined;
  /** How the group packs, for storages of ours. */
  packing: PackingMode = "off";
  port = 0;
  #server: FrameServer<undefined> | undefined;

  async start(): Promise<void> {
    const handlers = new Map<number, HandlerEntry<undefined>>();
    addHandlers(handlers, common, { activeTest: () => {}, quit: () => {} });
    addHandlers<typeof lookups, undefined>(handlers, lookups, {
      getMyIp: () => this.#answer("getMyIp", () => ({ addresses: [this.address] })),
      requestParameters: () =>
        this.#answer("requestParameters", () => ({ parameters: this.parameters })),
      fetchStorageIds: (request) =>
        this.#answer("fetchStorageIds", () => ({
          totalCount: this.ids.length,
          entries: this.ids.slice(request.startIndex, request.startIndex + this.idsPerPage),
        })),
      getStorageId: () => this.#answer("getStorageId", () => ({ id: StorageId("100001") })),
      getStorageStatus: ({ server: { address, port } }) =>
        this.#answer("getStorageStatus", () => {
          const { record: status } = this;
          if (status === undefined) throw new WireStatusError(wireStatus.notFound, "unknown");
          return { status, port, id: StorageId(address), address };
        }),
    });
    addHandlers<typeof reports, undefined>(handlers, reports, {
      storageJoin: (request) => {
        this.joins.push(request);
        return this.#answer("storageJoin", () => ({ status: this.status, syncSource: undefined }));
      },
      storageBeat: (request) =>
        this.#answer("storageBeat", () => {
          this.beats.push(request.statistics !== undefined);
          return this.changes;
        }),
      reportDiskUsage: (request) =>
        this.#answer("reportDiskUsage", () => {
          const { groupPaths = request.storePaths.length } = this;
          if (request.storePaths.length !== groupPaths) {
            throw new WireStatusError(wireStatus.invalid, "the group has another number of paths");
          }
          this.diskReports.push(request.storePaths);
          return this.changes;
        }),
      fetchTrunkFileId: () =>
        this.#answer("fetchTrunkFileId", () => ({ fileId: this.trunkFileId })),
      reportTrunkFileId: ({ fileId }) =>
        this.#answer("reportTrunkFileId", () => {
          this.trunkFileId = fileId;
        }),
      reportTrunkFree: ({ freeMb }) =>
        this.#answer("reportTrunkFree", () => {
          this.trunkFreeMb = freeMb;
        }),
      leaseTrunkFiles: ({ wanted }) =>
        this.#answer("leaseTrunkFiles", () => {
          const count = this.packing === "leased" ? wanted : 0;
          const first = count > 0 ? this.trunkFileId + 1 : 0;
          this.trunkFileId += count;
          return { mode: this.packing, first, count };
        }),
      requestSyncSource: () => this.#answer("requestSyncSource", () => ({ sync: this.syncSource })),
      notifySyncSource: (request) => {
        this.notices.push(request);
        return this.#answer("notifySyncSource", () => undefined);
      },
      ...this.#groupHandlers(),
    });
    const options = storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers });
    this.#server = new FrameServer<undefined>({ ...options, closesAfterInvalid: false });
    const [listener] = await this.#server.listen(["127.0.0.1"], this.port);
    this.port = listener?.port ?? 0;
  }

  #groupHandlers(): Pick<Handlers<typeof reports>, GroupCall> {
    return {
      reportSync: ({ sources }) => {
        this.received.push(sources);
        return this.#answer("reportSync", () => this.changes);
      },
      reportReplicas: ({ members }) => {
        this.replicas.push(members);
        return this.#answer("reportReplicas", () => undefined);
      },
      reportStatus: ({ storage }) => {
        this.statusReports.push(storage);
        return this.#answer("reportStatus", () => undefined);
      },
      requestSyncSourceOf: () =>
        this.#answer("requestSyncSourceOf", () => ({ sync: this.recordedSource })),
      querySyncSource: () => this.#answer("querySyncSource", () => ({ sync: this.recordedSource })),
      reportIpChanged: (request) => {
        this.moves.push(request);
        return this.#answer("reportIpChanged", () => undefined);
      },
      requestChangelog: () =>
        this.#answer("requestChangelog", () => {
          const lines = this.changelog;
          this.changelog = "";
          return { lines };
        }),
      changeStorageStatus: ({ status }) => {
        this.toldStatuses.push(status);
        return this.#answer("changeStorageStatus", () => undefined);
      },
      deleteStorage: ({ id }) => {
        this.deleted.push(id);
        return this.#answer("deleteStorage", () => undefined);
      },
      listOneGroup: ({ group }) =>
        this.#answer("listOneGroup", () => ({
          ...groupLike,
          group: GroupName(group),
          storePathCount: this.groupPaths ?? 1,
        })),
      getTrackerStatus: () =>
        this.#answer("getTrackerStatus", () => {
          const { leads: isLeader } = this;
          return { isLeader, runningTime: 300, restartInterval: 0 };
        }),
      notifyReselectLeader: () =>
        this.#answer("notifyReselectLeader", () => {
          this.leads = false;
        }),
      reportHeld: (request) => {
        this.held.push(request);
        return this.#answer("reportHeld", () => this.changes);
      },
    };
  }

  async stop(): Promise<void> {
    await this.#server?.stop(0);
    this.#server = undefined;
  }

  get connections(): number {
    return this.#server?.connections.current ?? 0;
  }

  countOf(call: TrackerCall): number {
    return this.calls.filter((one) => one === call).length;
  }

  #answer<Reply>(call: TrackerCall, reply: () => Reply): Reply {
    this.calls.push(call);
    const refusals = this.refusals.get(call) ?? [];
    const status = refusals.length > 1 ? refusals.shift() : refusals[0];
    if (status !== undefined && status !== 0) throw new WireStatusError(status, "as told");
    return reply();
  }
}
