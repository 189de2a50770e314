/** What a pump is given and what it tells (`path-pump.ts`), and what it asks of records and places. Pure. */
import type { Log } from "#base/log.ts";
import { rotationBytes } from "#filestore/binlog/binlog-writer.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import { sizeInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { Clock } from "#platform/clock.ts";
import type { PushLane, SyncStore } from "#sync/push.ts";
import type { AsideRecord } from "#sync/sync-cursor.ts";
import type { SyncPlan } from "#sync/sync-machine.ts";

/** Names do not say the size of slaves and appenders. */
export const unknownSizeBytes = 16 * 1024;

export interface PathPumpParts {
  readonly store: SyncStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly storePathIndex: number;
  readonly peer: string;
  /** Of the mark file, without its ending. */
  readonly markName: () => string;
  /** Connections that may be used at the same time. */
  readonly maxLanes: () => number;
  readonly openLane: () => Promise<PushLane>;
  /** Pause after each file, in milliseconds. */
  readonly fileIntervalMs: number;
  readonly skipsInvalid: boolean;
  /** A good copy of a file that cannot be read here is looked for at the peers. */
  heal(name: string): Promise<boolean>;
  /** Something was acknowledged. */
  onProgress(records: number, bytes: number): void;
  /** Everything is acknowledged, up to the end of the binlog. */
  onCaughtUp(): void;
  /** The mark points nowhere: what the binlog said is not there any more. */
  onBinlogGone(): void;
  /** The connection failed; the pump has stopped. */
  onFailure(error: unknown): void;
}

/** How a pump begins. */
export interface PumpStart {
  readonly plan: SyncPlan;
  readonly startOver: boolean;
  /** The peer has every file of ours with a name time below this; 0 where that is not known. */
  readonly peerHolds: number;
}

export interface PumpReport {
  readonly storePathIndex: number;
  /** Records read and not acknowledged. */
  readonly pending: number;
  /** Bytes of the binlog that were not read yet, as far as known. */
  readonly backlogBytes: number;
  /** Unix seconds, of the oldest record that is not acknowledged. */
  readonly oldestTimestamp: number | undefined;
  /** False while it is not known how old the first change is that the peer lacks. */
  readonly isKnown: boolean;
  readonly aside: readonly AsideRecord[];
  /** Why it does not move, in words. */
  readonly problem: string | undefined;
}

/** Deletions need no file; everything else is what the file is now. */
export function wholeMode({ kind }: BinlogEntry): "create" | "replace" {
  return kind === "create" || kind === "link" || kind === "rename" ? "create" : "replace";
}

/** A change that fits a file by its size alone. */
export function isSplice({ kind }: BinlogEntry): boolean {
  return kind === "append" || kind === "modify" || kind === "truncate";
}

export function expectedBytes(entry: BinlogEntry): number {
  if (entry.kind === "append" || entry.kind === "modify") return entry.length;
  if (entry.kind !== "create" && entry.kind !== "update") return 0;
  const base = parseRemoteFilename(entry.name)?.base ?? "";
  return sizeInName(base) ?? unknownSizeBytes;
}

/** Bytes in between; whole files count as much as a file becomes before the next one is begun. */
export function backlog(from: BinlogPosition, to: BinlogPosition): number {
  if (comparePositions(from, to) >= 0) return 0;
  if (from.index === to.index) return to.offset - from.offset;
  return Math.max(0, (to.index - from.index) * rotationBytes - from.offset) + to.offset;
}
