/**
 * When the two threads of a store path rouse each other. The requests of one turn of the event loop, or of a few, rouse the worker
 * once, after some of them or at the end. While many are in flight we look for answers at the end of each turn, without the worker having to
 * rouse us: that costs both threads more than a look, and they get into each other's way (measured: 4 to 15 % of an exchange). No
 * request stays unnoticed longer than `maxGatherTurns` after the turn in which it was made. Main thread.
 */
import type { RingReader, RingWriter } from "#filestore/ring.ts";
import type { Workers } from "#platform/workers.ts";

/** The worker begins with the first requests of a turn while we take the others. */
const rouseAfter = 16;
/** With fewer requests in flight, the worker rouses us for each answer. */
const lookFrom = 4;
/** With more requests in flight each turn brings enough of them. */
const gatherUpTo = 32;
/**
 * With fewer in flight, but `lookFrom`, the requests of a turn wait so many turns for others, as long as each brings some: whoever was just answered
 * asks again, and to rouse a thread costs more than a turn.
 */
const maxGatherTurns = 2;
/** After so many turns in a row that found no answer, the worker rouses us. */
const maxIdleTurns = 2;

export interface TurnBatchParts {
  readonly requests: Pick<RingWriter, "wake">;
  readonly completions: Pick<RingReader, "pauseWatch" | "resumeWatch">;
  readonly afterTurn: Workers["afterTurn"];
  /** Takes what the worker has answered; returns how many answers there were. */
  readonly drain: () => number;
  /** Requests that the worker owes an answer. */
  readonly inFlight: () => number;
}

export class TurnBatch {
  readonly #parts: TurnBatchParts;
  /** Requests that the worker may not have been roused for. */
  #unroused = 0;
  /** The end of the present turn is waited for. */
  #looks = false;
  #idleTurns = 0;
  /** Turns in a row whose requests wait for those of the next one, and how many wait. */
  #gatherTurns = 0;
  #gathered = 0;

  constructor(parts: TurnBatchParts) {
    this.#parts = parts;
  }

  /** A request was put into the ring. */
  pushed(): void {
    this.#unroused += 1;
    if (this.#unroused >= rouseAfter) this.#rouse();
    if (this.#looks) return;
    this.#looks = true;
    this.#idleTurns = 0;
    this.#parts.completions.pauseWatch();
    this.#parts.afterTurn(this.#endTurn);
  }

  /** The turn brought requests, and the next one may bring more that the worker can begin with together. */
  #gathers(): boolean {
    const isFruitful = this.#unroused > this.#gathered;
    const inFlight = this.#parts.inFlight();
    const areSome = inFlight >= lookFrom && inFlight <= gatherUpTo;
    if (isFruitful && areSome && this.#gatherTurns < maxGatherTurns) {
      this.#gathered = this.#unroused;
      this.#gatherTurns += 1;
      return true;
    }
    this.#gathered = 0;
    this.#gatherTurns = 0;
    return false;
  }

  #rouse(): void {
    this.#unroused = 0;
    this.#parts.requests.wake();
  }

  readonly #endTurn = (): void => {
    const { afterTurn, completions, drain, inFlight } = this.#parts;
    if (this.#gathers()) {
      drain();
      afterTurn(this.#endTurn);
      return;
    }
    if (this.#unroused > 0) this.#rouse();
    this.#idleTurns = drain() === 0 ? this.#idleTurns + 1 : 0;
    // What the answers led to may be further requests.
    if (this.#unroused > 0) this.#rouse();
    if (inFlight() >= lookFrom && this.#idleTurns < maxIdleTurns) {
      afterTurn(this.#endTurn);
      return;
    }
    this.#looks = false;
    while (!completions.resumeWatch()) drain();
  };
}
