/** How often each command was asked, and how often it failed, since the start. Main thread. */

export interface CommandCount {
  readonly command: string;
  readonly requests: number;
  readonly failures: number;
}

interface Counter {
  requests: number;
  failures: number;
}

export class CommandCounters {
  readonly #counters = new Map<string, Counter>();

  /** The counter of a command, to be raised by whoever serves it. */
  of(command: string): Counter {
    const known = this.#counters.get(command);
    if (known !== undefined) return known;
    const counter = { requests: 0, failures: 0 };
    this.#counters.set(command, counter);
    return counter;
  }

  all(): readonly CommandCount[] {
    return [...this.#counters].map(([command, counter]) => ({ command, ...counter }));
  }
}
