/** The connections of one pump, opened when they are needed and opened anew where one has become useless. Main thread. */
import type { PushLane } from "#sync/push.ts";

export class LanePool {
  readonly #open: () => Promise<PushLane>;
  readonly #lanes: (PushLane | undefined)[] = [];
  /** Grows when all are closed, so that one which was being opened meanwhile is closed as well. */
  #generation = 0;

  constructor(open: () => Promise<PushLane>) {
    this.#open = open;
  }

  /** The lane of that number, if it is open. */
  idle(number: number): PushLane | undefined {
    const lane = this.#lanes[number];
    return lane?.usable === true ? lane : undefined;
  }

  /** Rejects where the peer cannot be connected to, or all were closed meanwhile. */
  async at(number: number): Promise<PushLane> {
    const known = this.#lanes[number];
    if (known?.usable === true) return known;
    known?.close();
    const generation = this.#generation;
    const opened = await this.#open();
    if (generation !== this.#generation) {
      opened.close();
      throw new Error("sending has ended");
    }
    this.#lanes[number] = opened;
    return opened;
  }

  closeAll(): void {
    this.#generation += 1;
    for (const lane of this.#lanes.splice(0)) lane?.close();
  }
}
