/** From the node's settings to what each role wants to know, in the role's own words. Pure. */
import { posix } from "node:path";
import type { Config } from "#config/schema.ts";
import type { PlacedPath } from "#daemon/shelf-world.ts";
import { passportDirectory } from "#disks/passport.ts";
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
    verifyIntervalMs: storage.verifyIntervalMs,
    recoveryLanes: storage.recoveryParallel,
    mode: storage.mode,
    sync: syncSettings(storage.sync),
    avoidsForeignSlots: storage.packing !== "on",
    scrub: {
      periodMs: storage.scrub.periodMs,
      rateBytes: storage.scrub.rateBytes,
      busyShare: storage.scrub.busyShare,
    },
  };
}

function syncSettings(sync: Config["storage"]["sync"]): StorageSettings["sync"] {
  return {
    hours: { startMinute: minuteOf(sync.startTime), endMinute: minuteOf(sync.endTime) },
    fileIntervalMs: sync.intervalMs,
    bytesPerSecond: sync.bandwidthBytes,
    connections: sync.connections,
    skipsInvalid: sync.skipInvalidRecord,
    fetchTimeoutMs: sync.fetchTimeoutMs,
    sourcePatienceMs: sync.sourcePatienceMs,
  };
}

function minuteOf({ hour, minute }: { readonly hour: number; readonly minute: number }): number {
  return hour * 60 + minute;
}

export function storagePathSettings(config: Config, address: string): StorePathSettings[] {
  return config.storage.paths.map((path, index) => ({
    ...commonPathSettings(config, address),
    ...{ index, directory: path.directory, readOnly: path.readonly, takesOver: path.takeOver },
  }));
}

/** Of a store path that lies on a disk of the node's own. */
export function diskPathSettings(
  config: Config,
  address: string,
  { index, directory, diskDirectory, takesOver }: PlacedPath,
): StorePathSettings {
  return {
    ...commonPathSettings(config, address),
    ...{ index, directory, readOnly: false, takesOver },
    ...(diskDirectory === undefined
      ? {}
      : { diskDirectory: posix.join(diskDirectory, passportDirectory) }),
  };
}

function commonPathSettings(
  { storage }: Config,
  address: string,
): Omit<StorePathSettings, "index" | "directory" | "readOnly" | "takesOver"> {
  return {
    subdirCount: storage.subdirCount,
    createAllDirectories: storage.createDirectories === "all",
    distribution: storage.fileDistributeMode,
    rotateCount: storage.fileDistributeRotateCount,
    durability: storage.durability,
    journalBytes: storage.journalSizeBytes,
    packing: storage.dedup ? "off" : storage.packing,
    dedup: storage.dedup,
    source: initialSource(storage.serverId, address),
    adoptBasePath: storage.adoptBasePath,
  };
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
