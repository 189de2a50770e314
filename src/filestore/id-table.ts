/**
 * What belongs to numbers that are given out one after the other and taken back soon, such as requests in flight. A `Map` whose entries
 * all come and go is rebuilt again and again, and its old tables, dead but not collected yet, keep what was in them alive: every
 * seventh byte of a download was copied by the garbage collector for that (measured). Here an entry leaves nothing behind. Main thread.
 */

/** Twice as many as are in flight at most, a power of two: a number that stays longer than that moves to a map. */
const slots = 2048;

export class IdTable<Value> {
  readonly #values = new Array<Value | undefined>(slots).fill(undefined);
  readonly #ids = new Int32Array(slots);
  /** Whose place a later number got. */
  readonly #late = new Map<number, Value>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `id`: 0 to 2^31 - 1, not in the table yet. */
  add(id: number, value: Value): void {
    const at = id % slots;
    const other = this.#values[at];
    if (other !== undefined) this.#late.set(this.#ids[at] as number, other);
    this.#values[at] = value;
    this.#ids[at] = id;
    this.#size += 1;
  }

  /** Removes what belongs to `id`; undefined where nothing does. */
  take(id: number): Value | undefined {
    const at = id % slots;
    const value = this.#values[at];
    if (value !== undefined && this.#ids[at] === id) {
      this.#values[at] = undefined;
      this.#size -= 1;
      return value;
    }
    const late = this.#late.get(id);
    if (this.#late.delete(id)) this.#size -= 1;
    return late;
  }

  /** Everything in the table, in no order; what is taken or added meanwhile is not seen. */
  entries(): readonly (readonly [number, Value])[] {
    if (this.#size === 0) return [];
    const found: [number, Value][] = [...this.#late];
    for (const [at, value] of this.#values.entries()) {
      if (value !== undefined) found.push([this.#ids[at] as number, value]);
    }
    return found;
  }
}
