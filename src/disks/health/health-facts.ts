/** All that a disk is judged by: what it says of itself, and what kernel and store paths saw of it. Pure data. */
import type { SmartFacts } from "#model/smart-facts.ts";

/** What a count of SMART grew by in the last week; undefined where it did not, or is not known for long enough. */
export type Growth = Readonly<Partial<Record<GrowingCount, number>>>;

export const growingCounts = [
  "reallocated",
  "uncorrectable",
  "timeouts",
  "pending",
  "offlineUncorrectable",
  "transferErrors",
  "mediaErrors",
] as const;

export type GrowingCount = (typeof growingCounts)[number];

/** Of the last 24 hours, where nothing else is said. */
export interface ObservedFaults {
  /** Errors of reads and writes that the kernel counted. */
  readonly ioErrors: number;
  /** How often the link was lost, or the disk was reset. */
  readonly resets: number;
  /** Where a file system of it was mounted that is read-only now, and nobody asked for it. */
  readonly turnedReadOnly: string | undefined;
  /** What the kernel said last about a damaged file system. */
  readonly fileSystemError: string | undefined;
  readonly quarantines: number;
  /** Requests that it did not answer in time. */
  readonly abandoned: number;
  /** Requests of a store path that failed because of the disk. */
  readonly failedRequests: number;
  /** What scrubs of its store paths found: files that it does not give, with another content than they were stored with, and wrong once only. */
  readonly unreadableFiles: number;
  readonly rottenFiles: number;
  readonly unsteadyFiles: number;
  /** For how long a store path on it has not been served now because of the disk. */
  readonly unservedSeconds: number;
  /** Where reading all of it, before it was given to the node, ended with an error. */
  readonly unreadableAtBytes: number | undefined;
}

export const noFaults: ObservedFaults = {
  ioErrors: 0,
  resets: 0,
  turnedReadOnly: undefined,
  fileSystemError: undefined,
  quarantines: 0,
  abandoned: 0,
  failedRequests: 0,
  unreadableFiles: 0,
  rottenFiles: 0,
  unsteadyFiles: 0,
  unservedSeconds: 0,
  unreadableAtBytes: undefined,
};

export interface LatencyFacts {
  /** Of the last ten minutes: one request of a hundred took longer. */
  readonly p99Ms: number;
  /** The same, as it usually is on this disk. */
  readonly usualP99Ms: number;
}

export interface HealthFacts {
  readonly rotational: boolean | undefined;
  /** 0 is what a disk says whose electronics live and whose platters do not. */
  readonly sizeBytes: number;
  /** As it was told last, which may be long ago; undefined where it never was. */
  readonly smart: SmartFacts | undefined;
  readonly growth: Growth;
  readonly faults: ObservedFaults;
  readonly latency: LatencyFacts | undefined;
}
