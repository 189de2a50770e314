/** Numbers for new trunk files that this store path was leased, and asking for more before they run out. Worker thread. */
import { leaseLow, leaseWanted } from "#filestore/trunk/limits.ts";

export class TrunkLease {
  readonly #ranges: { next: number; end: number }[] = [];
  readonly #onWanted: (count: number) => void;
  #asked = false;

  constructor(onWanted: (count: number) => void) {
    this.#onWanted = onWanted;
  }

  /** Numbers that are left. */
  get left(): number {
    return this.#ranges.reduce((sum, { next, end }) => sum + end - next, 0);
  }

  /** The number that comes next; undefined where none is left. */
  get next(): number | undefined {
    return this.#ranges[0]?.next;
  }

  add(first: number, count: number): void {
    if (count > 0) this.#ranges.push({ next: first, end: first + count });
    this.#asked = false;
  }

  /** The next number is used up. */
  take(): void {
    const [range] = this.#ranges;
    if (range === undefined) return;
    range.next += 1;
    if (range.next >= range.end) this.#ranges.shift();
    this.ask();
  }

  /** Asks for more where few are left, once until some come; `anew` also where that was done. */
  ask(anew = false): void {
    if (anew) this.#asked = false;
    if (this.#asked || this.left >= leaseLow) return;
    this.#asked = true;
    this.#onWanted(leaseWanted);
  }
}
