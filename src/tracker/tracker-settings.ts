/**
 * What a tracker must be told at its start, in its own words; the composition fills it from the configuration. All trackers of
 * a cluster must agree on everything but addresses, port and limits (protocol §11.3).
 */
import type { StorageIdEntry } from "#model/storage-id-line.ts";

/** Free space that uploads leave: a size, or a share of the whole, 0 < percent < 100 (protocol §9.4). */
export type ReservedSpace =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "percent"; readonly percent: number };

export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** How storages pack small files into trunk files (protocol §4.1); all of it is for them, told by PARAMETER_REQ. */
export interface TrunkSettings {
  readonly enabled: boolean;
  readonly slotMinSizeBytes: number;
  /** 0 stands for an eighth of the file size. */
  readonly slotMaxSizeBytes: number;
  readonly allocAlignmentSizeBytes: number;
  readonly fileSizeBytes: number;
  readonly freeSpaceMerge: boolean;
  readonly deleteUnusedFiles: boolean;
  readonly createFileAdvance: boolean;
  readonly createFileTimeBase: TimeOfDay;
  readonly createFileIntervalMs: number;
  readonly createFileSpaceThresholdBytes: number;
  readonly initCheckOccupying: boolean;
  readonly initReloadFromBinlog: boolean;
  readonly compressBinlogMinIntervalMs: number;
  readonly compressBinlogIntervalMs: number;
  readonly compressBinlogTimeBase: TimeOfDay;
  readonly binlogMaxBackups: number;
}

export interface TrackerSettings {
  /** Local addresses to listen on; `0.0.0.0` and `::` mean all of a family. */
  readonly addresses: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxConnections: number;
  readonly networkTimeoutMs: number;
  /** Exchanges under way at a stop may take this long. */
  readonly stopDeadlineMs: number;
  /** Longest request body, in bytes; a longer one ends the connection. */
  readonly maxBodyBytes: number;
  /** The release whose formats we speak, at most 8 characters, such as `6.16.1`. */
  readonly wireVersion: string;

  readonly storeLookup: "round-robin" | "group" | "most-free";
  /** For `storeLookup` "group". */
  readonly storeGroup: string;
  readonly storeServer: "round-robin" | "first" | "priority";
  readonly storePath: "round-robin" | "most-free";
  readonly downloadServer: "round-robin" | "source";
  readonly reservedSpace: ReservedSpace;
  /** QUERY_FETCH_ALL names every storage that may serve; or the best only, which is all that older clients understand. */
  readonly fetchAll: "every" | "best";

  readonly checkActiveIntervalMs: number;
  readonly responseAddressSize: "auto" | "16" | "46";
  /** The storage ids file, sorted by id; undefined where storages are known by their address. */
  readonly storageIds: readonly StorageIdEntry[] | undefined;
  readonly idTypeInFilename: "ip" | "id";
  readonly trustStorageId: boolean;
  readonly storageIpChangedAutoAdjust: boolean;
  readonly syncFileMaxDelayMs: number;
  readonly syncFileMaxTimeMs: number;
  readonly storeSlaveFileUseLink: boolean;
  readonly trunk: TrunkSettings;
}

/** FastDFS's defaults, for tests and for whoever sets less than everything. */
export const defaultTrackerSettings: TrackerSettings = {
  addresses: ["0.0.0.0"],
  port: 22122,
  maxConnections: 1024,
  networkTimeoutMs: 60_000,
  stopDeadlineMs: 5000,
  maxBodyBytes: 256 * 1024,
  wireVersion: "6.16.1",
  storeLookup: "round-robin",
  storeGroup: "",
  storeServer: "round-robin",
  storePath: "round-robin",
  downloadServer: "round-robin",
  reservedSpace: { kind: "bytes", bytes: 1024 ** 3 },
  fetchAll: "every",
  checkActiveIntervalMs: 100_000,
  responseAddressSize: "auto",
  storageIds: undefined,
  idTypeInFilename: "ip",
  trustStorageId: true,
  storageIpChangedAutoAdjust: true,
  syncFileMaxDelayMs: 86_400_000,
  syncFileMaxTimeMs: 300_000,
  storeSlaveFileUseLink: false,
  trunk: {
    enabled: false,
    slotMinSizeBytes: 256,
    slotMaxSizeBytes: 0,
    allocAlignmentSizeBytes: 0,
    fileSizeBytes: 64 * 1024 ** 2,
    freeSpaceMerge: false,
    deleteUnusedFiles: false,
    createFileAdvance: false,
    createFileTimeBase: { hour: 2, minute: 0 },
    createFileIntervalMs: 86_400_000,
    createFileSpaceThresholdBytes: 0,
    initCheckOccupying: false,
    initReloadFromBinlog: false,
    compressBinlogMinIntervalMs: 0,
    compressBinlogIntervalMs: 0,
    compressBinlogTimeBase: { hour: 3, minute: 0 },
    binlogMaxBackups: 0,
  },
};

/** 16 unless IPv6 is in use: nearly every client knows 16 only (protocol §1.5). */
export function responseAddressWidth(
  settings: Pick<TrackerSettings, "responseAddressSize">,
  hasWideAddress: boolean,
): 16 | 46 {
  if (settings.responseAddressSize === "auto") return hasWideAddress ? 46 : 16;
  return settings.responseAddressSize === "16" ? 16 : 46;
}
