/**
 * The trackers of a cluster, any of which can answer any question. They are asked in turn; who could not be reached is asked
 * last for a while. A clear refusal is not final either while others are left: a tracker that has just started does not know
 * the storages yet.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { clientError } from "#client/errors.ts";
import { call } from "#client/exchange.ts";
import { failureOf, why } from "#client/failures.ts";
import type { ClientLimits } from "#client/limits.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import type { ConnectionPool } from "#net/connection-pool.ts";
import type { Clock } from "#platform/clock.ts";
import type { Message } from "#protocol/message.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface TrackerRingOptions {
  readonly trackers: readonly Endpoint[];
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ClientLimits;
}

interface Seat {
  readonly tracker: Endpoint;
  restsUntilMs: number;
}

export class TrackerRing {
  readonly #options: TrackerRingOptions;
  readonly #seats: readonly Seat[];
  #next = 0;

  constructor(options: TrackerRingOptions) {
    this.#options = options;
    this.#seats = options.trackers.map((tracker) => ({ tracker, restsUntilMs: 0 }));
  }

  get trackers(): readonly Endpoint[] {
    return this.#options.trackers;
  }

  /**
   * Asks until one tracker answers with status 0. Otherwise rejects with the first clear refusal (`WireStatusError`), or, when
   * nobody gave one, with `trackers-unreachable`.
   */
  async ask<Request, Reply>(
    message: Message<Request, Reply, "none">,
    request: Request,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const { pool, log, clock, limits } = this.#options;
    let refusal: unknown;
    const troubles: string[] = [];
    for (const seat of this.#inTurn()) {
      try {
        return await call(pool, seat.tracker, { message, request, signal, repeatable: true });
      } catch (error) {
        const failure = failureOf(error);
        if (failure === undefined) throw error;
        const tracker = formatEndpoint(seat.tracker);
        log.debug("tracker-failed", { tracker, asked: message.name, why: describeError(error) });
        if (failure.kind === "status") {
          refusal ??= error;
          if (failure.status === wireStatus.invalid) break;
        } else {
          seat.restsUntilMs = clock.monotonicMs() + limits.trackerRestMs;
          troubles.push(`${tracker}: ${why(error)}`);
        }
      }
    }
    if (refusal !== undefined) throw refusal;
    throw clientError(
      "trackers-unreachable",
      `no tracker answers (${troubles.join("; ")}): check the addresses and whether the trackers run`,
      { details: { trackers: this.#options.trackers.map(formatEndpoint) } },
    );
  }

  /** Every seat once: from the next one on around, those that rest behind the others. */
  #inTurn(): readonly Seat[] {
    const now = this.#options.clock.monotonicMs();
    const start = this.#next;
    this.#next = (start + 1) % this.#seats.length;
    const around = [...this.#seats.slice(start), ...this.#seats.slice(0, start)];
    const awake = around.filter((seat) => seat.restsUntilMs <= now);
    return [...awake, ...around.filter((seat) => seat.restsUntilMs > now)];
  }
}
