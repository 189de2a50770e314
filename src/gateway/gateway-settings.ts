/** What the gateway needs to know of the configuration; `daemon/compose.ts` fills it. Times in milliseconds, sizes in bytes. */
import type { GroupName } from "#model/group-name.ts";

export interface GatewaySettings {
  /** The group of this node, and of paths without one. */
  readonly group: GroupName;
  readonly bind: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxConnections: number;
  /** How long a client may stand still in the middle of an exchange. */
  readonly networkTimeoutMs: number;
  readonly upload: boolean;
  readonly delete: boolean;
  readonly maxUploadSizeBytes: number;
  readonly defaultContentType: string;
  /** Where not, paths without a group are served as well. */
  readonly urlHasGroup: boolean;
  readonly antiLeech: AntiLeechSettings;
  /**
   * In front of the number of the store path in X-Accel-Redirect, such as `/_cairn_store`: nginx then serves the bytes of plain
   * files by itself. Empty switches it off.
   */
  readonly accelRedirectPrefix: string;
}

export interface AntiLeechSettings {
  readonly check: boolean;
  readonly secret: string;
  readonly ttlMs: number;
  /** What is served in place of a file whose token is wrong (`fail_file`); undefined answers 400. */
  readonly failDocument: FailDocument | undefined;
}

export interface FailDocument {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}
