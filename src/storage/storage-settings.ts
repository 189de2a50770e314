/** What the storage role needs to know of the configuration; `daemon/compose.ts` fills it. Times in milliseconds. */
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";
import type { ScrubSettings } from "#storage/scrub-part.ts";
import type { SyncHours } from "#sync/sync-pace.ts";

export interface StorageSettings {
  readonly group: GroupName;
  readonly port: number;
  readonly bind: readonly string[];
  /** What trackers are told of ourselves; also the source in file ids where no numeric id is used. */
  readonly address: string;
  /**
   * Where connections to trackers come from: a tracker sends clients to the address from which a storage joined. Undefined
   * leaves it to the system.
   */
  readonly joinFrom: string | undefined;
  /** Numeric storage id as text; empty where the tracker finds it by address. */
  readonly serverId: string;
  readonly trackers: readonly ServerEndpoint[];
  readonly subdirCount: number;
  readonly uploadPriority: number;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly networkTimeoutMs: number;
  readonly heartBeatIntervalMs: number;
  /** As trunk server: a freed slot is given out again after so long; left out: after a minute. */
  readonly freedSlotRestMs?: number;
  readonly diskReportIntervalMs: number;
  readonly version: string;
  /** Between two comparisons of all files with the peers'; 0: only when asked. */
  readonly verifyIntervalMs: number;
  /** Files that are fetched at the same time where a store path is rebuilt. */
  readonly recoveryLanes: number;
  /** How changes go to the other storages of the group. */
  readonly sync: StorageSyncSettings;
  /** What clients may do here; a tracker without storage ids knows nothing of it, so we refuse by ourselves. */
  readonly mode: "both" | "read" | "write" | "none";
  /** Left out: scrubs are made only when asked for, as fast as the disk lets them. */
  readonly scrub?: ScrubSettings | undefined;
  /** Slots of trunk files are taken from trunk servers of ours only. */
  readonly avoidsForeignSlots?: boolean;
  /** Another storage of the group has the same address, and another port: without storage ids trackers take both for one. */
  readonly sharesAddress?: boolean;
}

export interface StorageSyncSettings {
  readonly hours: SyncHours;
  /** Pause after each file. */
  readonly fileIntervalMs: number;
  /** To one peer; 0 limits nothing. */
  readonly bytesPerSecond: number;
  /** To one peer of ours. */
  readonly connections: number;
  readonly skipsInvalid: boolean;
  /** How long somebody waits for a file to be fetched. */
  readonly fetchTimeoutMs: number;
  /** How long a new member waits for a source that is away, where another one could fill it. */
  readonly sourcePatienceMs: number;
}
