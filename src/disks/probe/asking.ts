/**
 * Asks that may never be answered: each costs a thread until it is, so that nobody is asked a second time meanwhile. A round waits for
 * those that it has asked itself, for a while; whoever was silent before is not waited for any more, and is back as soon as it answers.
 */
import { type Clock, delay } from "#platform/clock.ts";

export interface Answers<T> {
  readonly found: ReadonlyMap<string, T>;
  /** Milliseconds for which they have not answered. */
  readonly silent: ReadonlyMap<string, number>;
}

export class Asking<T> {
  readonly #clock: Clock;
  readonly #ask: (subject: string) => Promise<T | undefined>;
  readonly #pending = new Map<string, { readonly sinceMs: number }>();
  /** Asks about what is not there any more. */
  #lost = 0;

  /** Whoever rejects, or knows nothing, has answered. */
  constructor(clock: Clock, ask: (subject: string) => Promise<T | undefined>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Threads that wait. */
  get stuck(): number {
    return this.#pending.size + this.#lost;
  }

  async round(subjects: readonly string[], limitMs: number): Promise<Answers<T>> {
    const wanted = new Set(subjects);
    for (const subject of this.#pending.keys()) {
      if (wanted.has(subject)) continue;
      this.#pending.delete(subject);
      this.#lost += 1;
    }
    const found = new Map<string, T>();
    const asked = subjects.filter((subject) => !this.#pending.has(subject));
    const all = Promise.all(asked.map((subject) => this.#begin(subject, found)));
    await Promise.race([all, patience(this.#clock, limitMs)]);
    const nowMs = this.#clock.monotonicMs();
    const silent = [...this.#pending].map(
      ([name, { sinceMs }]) => [name, nowMs - sinceMs] as const,
    );
    return { found: new Map(found), silent: new Map(silent) };
  }

  async #begin(subject: string, found: Map<string, T>): Promise<void> {
    const entry = { sinceMs: this.#clock.monotonicMs() };
    this.#pending.set(subject, entry);
    try {
      const answer = await this.#ask(subject);
      if (answer !== undefined) found.set(subject, answer);
    } catch {
      // Unmounted meanwhile, or not for us to see.
    }
    if (this.#pending.get(subject) === entry) this.#pending.delete(subject);
    else this.#lost -= 1;
  }
}

const sliceMs = 25;

/** Waits in small portions: what came while this process did not run, on a machine that is busy, is taken before the time is up. */
export async function patience(clock: Clock, limitMs: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += sliceMs) await delay(clock, sliceMs);
}
