/** How a pump begins: from where on, with what of the old files, and what it may leave out (protocol §6.3). Pure. */
import { type BinlogPosition, binlogStart } from "#filestore/binlog/position.ts";
import { untilMarginSeconds } from "#sync/limits.ts";
import type { PumpStart } from "#sync/pump-parts.ts";
import type { SyncMark } from "#sync/sync-cursor.ts";
import type { SyncPlan } from "#sync/sync-machine.ts";

export interface PumpBeginning {
  readonly plan: SyncPlan;
  readonly position: BinlogPosition;
  /** The peer has every file of ours with a name time below this. */
  readonly peerHolds: number;
  /** Unix seconds: records of earlier times are passed over, until the first that is not; 0 for none. */
  readonly skipUntil: number;
  /** What the binlog has by now may have been sent before: by another storage, or under a mark that is lost. */
  readonly asksFirst: boolean;
}

/** `gaps`: new files among what was set aside for the peer. */
export function pumpBeginning(
  how: PumpStart,
  noted: SyncMark | undefined,
  gaps: number,
): PumpBeginning {
  const mark = how.startOver ? undefined : noted;
  // Where another storage fills the peer by now, the mark says from where on our own changes are owed.
  const fills = how.plan.needSyncOld || mark?.needSyncOld !== true;
  const { needSyncOld, oldDone, until } = fills ? (mark ?? how.plan) : how.plan;
  const skips = mark === undefined && !needSyncOld && until > 0;
  const deadline = how.peerHolds > 0 ? Math.min(until, how.peerHolds) : until;
  return {
    plan: { needSyncOld, oldDone, until },
    position: mark?.position ?? binlogStart,
    peerHolds: gaps === 0 ? how.peerHolds : 0,
    skipUntil: skips ? Math.max(0, deadline - untilMarginSeconds) : 0,
    asksFirst: mark === undefined || (needSyncOld && !oldDone),
  };
}
