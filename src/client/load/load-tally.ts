/** What a run of the load generator has counted so far. */
import { LatencyHistogram } from "#client/load/latency-histogram.ts";
import { FailureCounts } from "#client/load/load-failures.ts";

/**
 * Why a run ended: its time or its operations were over, there were no more files to use up, as much was stored as may be, the
 * person said so, or every server was given up.
 */
export type LoadEnd = "duration" | "count" | "files" | "space" | "interrupt" | "lost";

export class LoadTally {
  succeeded = 0;
  /** Content of the operations that succeeded. */
  bytes = 0;
  /** From the first request to the last reply. */
  elapsedMs = 0;
  /** Uploads that broke off: a storage may have kept the file, under a name that nobody knows. */
  unanswered = 0;
  endedBy: LoadEnd = "duration";
  /** Of the operations that succeeded. */
  readonly latency = new LatencyHistogram();
  readonly failures = new FailureCounts();

  add(other: LoadTally): void {
    this.succeeded += other.succeeded;
    this.bytes += other.bytes;
    this.elapsedMs += other.elapsedMs;
    this.unanswered += other.unanswered;
    this.endedBy = other.endedBy;
    this.latency.add(other.latency);
    this.failures.add(other.failures);
  }
}
