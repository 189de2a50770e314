/**
 * A tracker that speaks through the declarations and does what the test says: it answers joins, beats and reports, notes each
 * message, and can refuse any of them.
 */
import { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { type ChangeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { type Parameter, trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { type JoinRequest, trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { type PackingMode, trunkLease } from "#protocol/peer/trunk-lease.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { storageLike } from "./frame-fixture.ts";

const { getMyIp, requestParameters, fetchStorageIds, getStorageId } = trackerLookups;
const lookups = { getMyIp, requestParameters, fetchStorageIds, getStorageId };
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
  ...trunkLease,
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
  changes: ChangeReport = noChanges;
  /** The newest number of a trunk file; leases raise it. */
  trunkFileId = 0;
  trunkFreeMb = -1;
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
    });
    const options = storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers });
    this.#server = new FrameServer<undefined>({ ...options, closesAfterInvalid: false });
    const [listener] = await this.#server.listen(["127.0.0.1"], this.port);
    this.port = listener?.port ?? 0;
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
