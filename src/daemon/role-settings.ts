/** From the node's settings to what each role wants to know, in the role's own words. Pure. */
import type { Config } from "#config/schema.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { FailDocument, GatewaySettings } from "#gateway/gateway-settings.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { FileSource } from "#model/file-id.ts";
import { GroupName } from "#model/group-name.ts";
import { numericStorageId, StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { TrackerSettings } from "#tracker/tracker-settings.ts";

/** The FastDFS release whose formats we speak; peers read nothing else from it (protocol §13.1). */
export const wireVersion = "6.16.1";
/** The tracker's default package limit (protocol §1.7). */
const trackerMaxBodyBytes = 256 * 1024;

export function trackerSettings(
  { node, tracker }: Config,
  storageIds: readonly StorageIdEntry[] | undefined,
): TrackerSettings {
  return {
    addresses: node.bind,
    port: tracker.port,
    maxConnections: node.maxConnections,
    networkTimeoutMs: node.networkTimeoutMs,
    stopDeadlineMs: node.stopTimeoutMs,
    maxBodyBytes: trackerMaxBodyBytes,
    wireVersion,
    storeLookup: tracker.storeLookup,
    storeGroup: tracker.storeGroup,
    storeServer: tracker.storeServer,
    storePath: tracker.storePath,
    downloadServer: tracker.downloadServer,
    reservedSpace: tracker.reservedSpace,
    fetchAll: "every",
    checkActiveIntervalMs: tracker.checkActiveIntervalMs,
    responseAddressSize: tracker.responseAddressSize,
    storageIds,
    idTypeInFilename: tracker.idTypeInFilename,
    trustStorageId: tracker.trustStorageId,
    storageIpChangedAutoAdjust: tracker.storageIpChangedAutoAdjust,
    syncFileMaxDelayMs: tracker.syncFileMaxDelayMs,
    syncFileMaxTimeMs: tracker.syncFileMaxTimeMs,
    storeSlaveFileUseLink: tracker.storeSlaveFileUseLink,
    trunk: tracker.trunk,
  };
}

/** `ownTracker` is used where the settings name no tracker. */
export function storageSettings(
  { node, storage }: Config,
  address: string,
  ownTracker: ServerEndpoint,
): StorageSettings {
  return {
    group: GroupName(storage.group),
    port: storage.port,
    bind: node.bind,
    address,
    joinFrom: onlyAddress(node.bind),
    serverId: storage.serverId,
    trackers: storage.trackers.length === 0 ? [ownTracker] : storage.trackers,
    subdirCount: storage.subdirCount,
    uploadPriority: storage.uploadPriority,
    maxConnections: node.maxConnections,
    connectTimeoutMs: node.connectTimeoutMs,
    networkTimeoutMs: node.networkTimeoutMs,
    heartBeatIntervalMs: storage.heartBeatIntervalMs,
    diskReportIntervalMs: storage.diskReportIntervalMs,
    version: wireVersion,
    mode: storage.mode,
  };
}

export function storagePathSettings({ storage }: Config, address: string): StorePathSettings[] {
  const source = initialSource(storage.serverId, address);
  return storage.paths.map((path, index) => ({
    index,
    directory: path.directory,
    readOnly: path.readonly,
    subdirCount: storage.subdirCount,
    createAllDirectories: storage.createDirectories === "all",
    distribution: storage.fileDistributeMode,
    rotateCount: storage.fileDistributeRotateCount,
    durability: storage.durability,
    packing: storage.dedup ? "off" : storage.packing,
    dedup: storage.dedup,
    source,
    adoptBasePath: storage.adoptBasePath,
  }));
}

/** The address listened on where it is a single one: clients that are sent anywhere else would find nobody. */
function onlyAddress(bind: readonly string[]): string | undefined {
  const only = bind.length === 1 ? bind[0] : undefined;
  return only === "0.0.0.0" || only === "::" ? undefined : only;
}

/** What file ids say until a tracker has told whether the cluster uses numeric ids. */
function initialSource(serverId: string, address: string): FileSource {
  return numericStorageId(serverId) === undefined
    ? { kind: "address", address }
    : { kind: "id", id: StorageId(serverId) };
}

export function gatewaySettings(
  { node, gateway }: Config,
  group: GroupName,
  failDocument: FailDocument | undefined,
): GatewaySettings {
  return {
    group,
    bind: node.bind,
    port: gateway.port,
    maxConnections: node.maxConnections,
    networkTimeoutMs: node.networkTimeoutMs,
    upload: gateway.upload,
    delete: gateway.delete,
    maxUploadSizeBytes: gateway.maxUploadSizeBytes,
    defaultContentType: gateway.defaultContentType,
    urlHasGroup: gateway.urlHasGroup,
    antiLeech: {
      check: gateway.antiLeech.check,
      secret: gateway.antiLeech.secret,
      ttlMs: gateway.antiLeech.ttlMs,
      failDocument,
    },
    accelRedirectPrefix: gateway.accelRedirectPrefix,
  };
}
