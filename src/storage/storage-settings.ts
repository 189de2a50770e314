/** What the storage role needs to know of the configuration; `daemon/compose.ts` fills it. Times in milliseconds. */
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";

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
  readonly diskReportIntervalMs: number;
  readonly version: string;
  /** What clients may do here; a tracker without storage ids knows nothing of it, so we refuse by ourselves. */
  readonly mode: "both" | "read" | "write" | "none";
}
