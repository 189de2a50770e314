/** Counts what the storage did, for beats, monitoring and metrics (protocol §2.3, StatBlock). Main thread. */
import type { ConnectionCounts } from "#net/frame-server.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";

/** Attempts and successes of one kind of work. */
export interface Count {
  total: number;
  success: number;
}

const kinds = [
  "uploads",
  "appends",
  "modifies",
  "truncates",
  "metadataSets",
  "deletes",
  "downloads",
  "metadataGets",
  "linkCreations",
  "linkDeletions",
  "uploadBytes",
  "appendBytes",
  "modifyBytes",
  "downloadBytes",
  "syncInBytes",
  "syncOutBytes",
  "fileOpens",
  "fileReads",
  "fileWrites",
] as const;

/** What a client asks for counts as one of these. */
const clientKinds = ["uploads", "appends", "modifies", "downloads", "deletes"] as const;

export type StatisticsKind = (typeof kinds)[number];
type Counts = Record<StatisticsKind, Count>;

export class StorageCounters {
  readonly #counts: Counts;
  #lastSourceUpdate = 0;
  #lastSyncUpdate = 0;
  #revision = 0;

  /** `saved` continues what an earlier run counted. */
  constructor(saved: Partial<Record<StatisticsKind, Count>> = {}) {
    this.#counts = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        { total: saved[kind]?.total ?? 0, success: saved[kind]?.success ?? 0 },
      ]),
    ) as Counts;
  }

  /** Grows with every change; a beat without news is sent empty. */
  get revision(): number {
    return this.#revision;
  }

  /** What clients asked for so far, whatever came of it. */
  get served(): number {
    let served = 0;
    for (const kind of clientKinds) served += this.#counts[kind].total;
    return served;
  }

  attempt(kind: StatisticsKind, by: number = 1): void {
    this.#counts[kind].total += by;
    this.#revision += 1;
  }

  succeed(kind: StatisticsKind, by: number = 1): void {
    this.#counts[kind].success += by;
    this.#revision += 1;
  }

  /** A client changed something here just now. */
  sourceUpdated(seconds: number): void {
    this.#lastSourceUpdate = seconds;
  }

  /** A change of a peer came just now. */
  syncUpdated(seconds: number): void {
    this.#lastSyncUpdate = seconds;
    this.#revision += 1;
  }

  /** Each kind with its counts, for metrics and for saving. */
  entries(): readonly (readonly [StatisticsKind, Readonly<Count>])[] {
    return kinds.map((kind) => [kind, this.#counts[kind]]);
  }

  snapshot(connections: ConnectionCounts): StorageStatistics {
    return {
      ...this.#counts,
      connections: {
        allocated: connections.limit,
        current: connections.current,
        max: connections.peak,
      },
      lastSourceUpdate: this.#lastSourceUpdate,
      lastSyncUpdate: this.#lastSyncUpdate,
      lastSyncedTimestamp: 0,
      lastHeartBeatTime: 0,
    };
  }
}
