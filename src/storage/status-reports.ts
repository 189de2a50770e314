/**
 * Reports about the status of a member (76) that are still to be made, for each tracker: a tracker which was away hears them when it is
 * back. Newer ones replace older ones of the same member; after a while nobody has to hear them any more. Main thread.
 */
import type { StorageId } from "#model/storage-id.ts";
import type { StorageStatus } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";

/** A tracker that was away for longer hears of the members by themselves, and late reports could bring back who was deleted since. */
export const reportLifeMs = 600_000;
/** Whoever reports waits this long for the leading tracker, or any. */
export const reportWaitMs = 15_000;

export interface StatusReport {
  readonly id: StorageId;
  readonly status: StorageStatus;
}

interface Owed extends StatusReport {
  readonly madeMs: number;
  /** The leading tracker has taken it, or any while none is known to lead. */
  readonly taken: () => void;
}

export class StatusReports {
  readonly #clock: Clock;
  readonly #byTracker = new Map<string, Map<StorageId, Owed>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the tracker that counts has taken it; rejects when that takes too long. The reports stay due then. */
  add(report: StatusReport, trackers: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(reportWaitMs, () =>
        reject(new Error(`no tracker has taken the status of ${report.id}`)),
      );
      const taken = (): void => {
        timer.cancel();
        resolve();
      };
      const owed: Owed = { ...report, madeMs: this.#clock.monotonicMs(), taken };
      for (const tracker of trackers) {
        const reports = this.#byTracker.get(tracker) ?? new Map<StorageId, Owed>();
        reports.set(report.id, owed);
        this.#byTracker.set(tracker, reports);
      }
    });
  }

  /** What `tracker` has not heard yet. */
  owedTo(tracker: string): readonly StatusReport[] {
    const reports = this.#byTracker.get(tracker);
    if (reports === undefined) return [];
    const oldest = this.#clock.monotonicMs() - reportLifeMs;
    for (const [id, { madeMs }] of reports) if (madeMs < oldest) reports.delete(id);
    return [...reports.values()];
  }

  /** It has heard `report`; `counts`: it is the one that is waited for. */
  heard(tracker: string, report: StatusReport, counts: boolean): void {
    const reports = this.#byTracker.get(tracker);
    const owed = reports?.get(report.id);
    if (owed === undefined || owed !== report) return;
    reports?.delete(report.id);
    if (counts) owed.taken();
  }

  /** Nobody needs to hear of `id` any more. */
  forget(id: StorageId): void {
    for (const reports of this.#byTracker.values()) reports.delete(id);
  }
}
