/**
 * What waits for a peer on one store path while nothing is sent to it: looks at the binlog from the mark on, a page at a time, and counts as
 * far as a sender would read ahead. Nothing is kept but numbers. Main thread.
 */
import { type BinlogPosition, binlogStart, comparePositions } from "#filestore/binlog/position.ts";
import { linesOfPage } from "#sync/binlog-page.ts";
import { binlogPageBytes, maxWindowRecords, untilMarginSeconds } from "#sync/limits.ts";
import { backlog } from "#sync/pump-parts.ts";
import type { SyncStore } from "#sync/push.ts";
import type { SyncMark } from "#sync/sync-cursor.ts";
import type { SyncPlan } from "#sync/sync-machine.ts";
import { isPushed } from "#sync/sync-record.ts";

export interface WaitingReport {
  /** Changes that were seen, at most as many as a sender reads ahead. */
  readonly pending: number;
  /** Bytes of the binlog behind those. */
  readonly backlogBytes: number;
  /** Unix seconds, of the first change. */
  readonly oldestTimestamp: number | undefined;
  /** False as long as there is more to look at before the numbers say how old the first change is. */
  readonly isKnown: boolean;
}

const nothingKnown: WaitingReport = {
  ...{ pending: 0, backlogBytes: 0, oldestTimestamp: undefined, isKnown: false },
};

export class WaitingBacklog {
  readonly #store: SyncStore;
  readonly #storePathIndex: number;
  #from: BinlogPosition | undefined;
  #until = 0;
  #readTo: BinlogPosition = binlogStart;
  #end: BinlogPosition = binlogStart;
  #pending = 0;
  #oldest: number | undefined;
  #looking = false;

  constructor(store: SyncStore, storePathIndex: number) {
    this.#store = store;
    this.#storePathIndex = storePathIndex;
  }

  get report(): WaitingReport {
    if (this.#from === undefined) return nothingKnown;
    const backlogBytes = backlog(this.#readTo, this.#end);
    return {
      pending: this.#pending,
      backlogBytes,
      oldestTimestamp: this.#oldest,
      isKnown: this.#oldest !== undefined || backlogBytes === 0,
    };
  }

  /** Where the binlog ends, as last looked at. */
  get end(): BinlogPosition {
    return this.#end;
  }

  /** Sending has begun: what was counted is of no more use. */
  forget(): void {
    this.#from = undefined;
  }

  /** Looks where the binlog ends. Rejects where the store path cannot be read. */
  async lookAtEnd(): Promise<void> {
    this.#end = await this.#store.binlogEnd(this.#storePathIndex);
  }

  /** Looks at one more page, where there is one; `mark` is where sending would begin. Rejects where the store path cannot be read. */
  async look(mark: SyncMark | undefined, plan: SyncPlan | undefined): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.lookAtEnd();
      this.#beginAt(mark?.position ?? binlogStart, skipsBefore(mark, plan));
      const isEnough = this.#pending >= maxWindowRecords;
      if (!isEnough && comparePositions(this.#readTo, this.#end) < 0) await this.#page(plan);
    } catch (error) {
      this.forget();
      throw error;
    } finally {
      this.#looking = false;
    }
  }

  #beginAt(position: BinlogPosition, until: number): void {
    const from = this.#from;
    if (from !== undefined && comparePositions(from, position) === 0 && until === this.#until) {
      return;
    }
    this.#from = position;
    this.#until = until;
    this.#readTo = position;
    this.#pending = 0;
    this.#oldest = undefined;
  }

  async #page(plan: SyncPlan | undefined): Promise<void> {
    const from = this.#from;
    const page = await this.#store.readBinlog(this.#storePathIndex, this.#readTo, binlogPageBytes);
    // Sending has begun meanwhile.
    if (this.#from !== from) return;
    const { needSyncOld = false, oldDone = false, until = 0 } = plan ?? {};
    const rule = { sendsOld: needSyncOld && !oldDone, until };
    for (const { entry } of linesOfPage(this.#readTo, page)) {
      if (entry === undefined || !isPushed(entry, rule) || entry.timestamp < this.#until) continue;
      this.#pending += 1;
      this.#oldest ??= entry.timestamp;
    }
    this.#readTo = page.next;
  }
}

/** What is older comes to a new peer from the one that fills it. */
function skipsBefore(mark: SyncMark | undefined, plan: SyncPlan | undefined): number {
  if (mark !== undefined || plan === undefined || plan.needSyncOld) return 0;
  return Math.max(0, plan.until - untilMarginSeconds);
}
