/**
 * Loads servers with one operation over a number of connections, each in a closed loop, and counts what happens. Main thread.
 *
 * A closed loop asks less of a server that stalls: while it stalls no new operation starts, so that the tail of the times is
 * shorter than independent clients would see it ("coordinated omission"). Figures are comparable between servers under the same
 * number of connections, and are no promise about response times at a given rate.
 */
import type { FileStock } from "#client/load/file-stock.ts";
import { interruptDrainMs, patternBytes, watchPeriodMs } from "#client/load/limits.ts";
import { type LaneRun, LoadLane } from "#client/load/load-lane.ts";
import type { LoadOperation } from "#client/load/load-operation.ts";
import { patternOf } from "#client/load/load-requests.ts";
import { LoadTally } from "#client/load/load-tally.ts";
import type { Endpoint } from "#model/endpoint.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";

export interface LoadSettings {
  readonly network: Network;
  readonly clock: Clock;
  readonly operation: LoadOperation;
  /** Storages or trackers, as the operation asks; connections are spread over them in turn. */
  readonly servers: readonly Endpoint[];
  readonly stock: FileStock;
  readonly connections: number;
  readonly fresh: boolean;
  readonly checksums: boolean;
  /** Longest time from a request to the whole reply. */
  readonly timeoutMs: number;
  /** Uploads stop when so much is stored. */
  readonly maxStoredBytes: number;
  /** Makes content unlike that of other runs. */
  readonly seed: number;
}

/** What ends a run, whichever comes first; operations under way are waited for. */
export interface LoadLimit {
  readonly durationMs?: number;
  readonly count?: number;
  readonly signal?: AbortSignal | undefined;
}

export class LoadGenerator {
  readonly #settings: LoadSettings;
  readonly #lanes: readonly LoadLane[];

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    const { servers, connections, seed } = settings;
    const pattern = patternOf(seed, patternBytes);
    this.#lanes = Array.from({ length: connections }, (_, at) => {
      const storage = at % servers.length;
      const server = servers[storage] as Endpoint;
      return new LoadLane({ ...settings, storage, server, pattern });
    });
  }

  /** Opens the connections. Never rejects: those that cannot be opened are failures of the run. */
  async open(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.open()));
  }

  /** May be called again and again; the connections stay open in between. */
  async run(limit: LoadLimit): Promise<LoadTally> {
    const run = new Run(this.#settings, limit, this.#lanes.length);
    const { clock } = this.#settings;
    const watch = clock.every(watchPeriodMs, () => this.#watch(run));
    try {
      for (const lane of this.#lanes) lane.start(run);
      await run.ended;
    } finally {
      watch.cancel();
    }
    return run.tally;
  }

  close(): void {
    for (const lane of this.#lanes) lane.close();
  }

  #watch(run: Run): void {
    const { clock, timeoutMs } = this.#settings;
    const now = clock.monotonicMs();
    const words = `no answer within ${timeoutMs} ms`;
    for (const lane of this.#lanes) lane.cutOff(now - timeoutMs, words);
    const abortedMs = run.abortedMs(now);
    if (abortedMs === undefined || now - abortedMs < interruptDrainMs) return;
    for (const lane of this.#lanes) lane.cutOff(now, "interrupted");
  }
}

class Run implements LaneRun {
  readonly tally = new LoadTally();
  readonly ended: Promise<void>;
  readonly #settings: LoadSettings;
  readonly #limit: LoadLimit;
  readonly #startedMs: number;
  #resolve: () => void = () => {};
  #active: number;
  #gaveUp = 0;
  #started = 0;
  readonly #lanes: number;
  #abortedMs: number | undefined;

  constructor(settings: LoadSettings, limit: LoadLimit, lanes: number) {
    this.#settings = settings;
    this.#limit = limit;
    this.#lanes = lanes;
    this.#active = lanes;
    this.#startedMs = settings.clock.monotonicMs();
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** When the signal was first seen aborted. */
  abortedMs(nowMs: number): number | undefined {
    if (this.#limit.signal?.aborted === true) this.#abortedMs ??= nowMs;
    return this.#abortedMs;
  }

  nextNumber(): number | undefined {
    const { durationMs, count, signal } = this.#limit;
    const { clock, operation, stock, maxStoredBytes } = this.#settings;
    if (signal?.aborted === true) return this.#over("interrupt");
    if (count !== undefined && this.#started >= count) return this.#over("count");
    if (durationMs !== undefined && clock.monotonicMs() - this.#startedMs >= durationMs) {
      return this.#over("duration");
    }
    if (operation === "upload") {
      const underWay = this.#started - this.tally.succeeded - this.tally.failures.total;
      const afterwards = stock.totalBytes + (underWay + 1) * stock.sizeBytes;
      if (afterwards > maxStoredBytes) return this.#over("space");
    }
    this.#started += 1;
    return this.#started;
  }

  outOfFiles(): void {
    this.tally.endedBy = "files";
  }

  laneEnded(gaveUp: boolean): void {
    this.#active -= 1;
    if (gaveUp) this.#gaveUp += 1;
    if (this.#active > 0) return;
    if (this.#gaveUp === this.#lanes) this.tally.endedBy = "lost";
    this.tally.elapsedMs = this.#settings.clock.monotonicMs() - this.#startedMs;
    this.#resolve();
  }

  #over(why: LoadTally["endedBy"]): undefined {
    this.tally.endedBy = why;
    return undefined;
  }
}
