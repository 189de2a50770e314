/**
 * Who waits for a name. Changes of one file happen one after the other, in the order in which they came, whatever becomes free in
 * between. Worker thread.
 */
export class NameLines<Waiting> {
  readonly #isLocked: (name: string) => boolean;
  /** By name, in the order in which they came. */
  readonly #lines = new Map<string, Waiting[]>();

  /** `isLocked`: a change of this name is under way. */
  constructor(isLocked: (name: string) => boolean) {
    this.#isLocked = isLocked;
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** True where a change of this name has to wait. */
  isTaken(name: string): boolean {
    return (this.#lines.size > 0 && this.#lines.has(name)) || this.#isLocked(name);
  }

  wait(name: string, waiting: Waiting): void {
    const line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, [waiting]);
    else line.push(waiting);
  }

  /** Names may have become free: those who wait for one go on until something takes it again. */
  retry(goOn: (waiting: Waiting) => void): void {
    for (const [name, line] of this.#lines) {
      while (line.length > 0 && !this.#isLocked(name)) {
        const next = line.shift();
        if (next !== undefined) goOn(next);
      }
      if (line.length === 0) this.#lines.delete(name);
    }
  }

  /** Everybody who waits; nobody does any more. */
  takeAll(): readonly Waiting[] {
    const all = [...this.#lines.values()].flat();
    this.#lines.clear();
    return all;
  }
}
