/** What a link to one peer needs, and what it tells. Types only. */
import type { Log } from "#base/log.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { StorageStatus } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { PumpReport } from "#sync/pump-parts.ts";
import type { SyncStore } from "#sync/push.ts";
import type { LinkPhase } from "#sync/sync-machine.ts";
import type { SyncHours } from "#sync/sync-pace.ts";

export interface SyncSettings {
  readonly hours: SyncHours;
  /** Pause after each file. */
  readonly fileIntervalMs: number;
  /** To one peer; 0 limits nothing. */
  readonly bytesPerSecond: number;
  /** To a peer of ours, a store path at least one. */
  readonly connections: number;
  readonly skipsInvalid: boolean;
  /** Own address of the connections; undefined leaves it to the system. */
  readonly from: string | undefined;
  readonly connectTimeoutMs: number;
  readonly networkTimeoutMs: number;
  readonly heartBeatIntervalMs: number;
}

/** Where a peer is, newest news. */
export interface PeerPlace {
  readonly id: StorageId;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly status: StorageStatus;
}

export interface PeerLinkParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: SyncStore;
  readonly settings: SyncSettings;
  readonly group: string;
  readonly peerId: StorageId;
  /** Undefined while no tracker has told. */
  readonly ownId: () => StorageId | undefined;
  /** Undefined where the group's list has no such peer any more. */
  readonly place: () => PeerPlace | undefined;
  /** Name of its mark files, without the ending. */
  readonly markName: () => string;
  /** At the begin; others are added later. */
  readonly storePathIndexes: readonly number[];
  /** Asks a tracker who fills the peer (protocol §2.4/86). Rejects where none can tell. */
  askSource(
    peer: StorageId,
  ): Promise<{ readonly source: StorageId; readonly until: number } | undefined>;
  /** Tells every tracker the peer's status (protocol §2.4/76). Rejects where none heard. */
  report(peer: StorageId, status: StorageStatus): Promise<void>;
  heal(name: string): Promise<boolean>;
  /** Fetches the later version of a file that the peer has. False where that did not succeed. */
  adopt(name: string): Promise<boolean>;
  /**
   * The peer is known by `disk` (empty of C's): marks that it has under another name are under its own when this resolves. Rejects where that
   * is not clear yet.
   */
  recognize(disk: string): Promise<void>;
  /** It was found out what the peer is. */
  onDialect(dialect: "cairn" | "c"): void;
  /** A mark points nowhere, as after the loss of a binlog: only a comparison tells what is missing there. */
  onBinlogGone(): void;
  /** Files of ours may be missing at the peer that are in no binlog here any more: a disk was lost, and not everything was compared since. */
  mayLack(): boolean;
  /** Bytes of content that were acknowledged. */
  onSent(records: number, bytes: number): void;
}

export interface LinkReport {
  readonly peer: StorageId;
  readonly phase: LinkPhase;
  /** In words. */
  readonly state: string;
  /** `cairn`, `c`, or undefined while that is not known. */
  readonly dialect: "cairn" | "c" | undefined;
  readonly paths: readonly PumpReport[];
  /** Seconds that the oldest change has waited; 0 where there is none, undefined while that is not known. */
  readonly lagSeconds: number | undefined;
  /** What the peer was last told to hold of ours. */
  readonly heldUntil: number;
}
