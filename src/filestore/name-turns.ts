/**
 * Changes of one name that carry a payload come one after the other already on the main thread, where they hold no blocks while they
 * wait: enough of them would otherwise keep every block from the one whose end they wait for. Main thread.
 */
export class NameTurns {
  /** The last change of each name that is under way or waits for its turn. */
  readonly #last = new Map<string, Promise<void>>();

  /** Begins `change` once all earlier ones of this name have ended, however they did. */
  async run<Result>(name: string, change: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name);
    let finished = (): void => {};
    const turn = new Promise<void>((resolve) => {
      finished = resolve;
    });
    this.#last.set(name, turn);
    try {
      if (before !== undefined) await before;
      return await change();
    } finally {
      finished();
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }
}
