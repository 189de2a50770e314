/** Time as the code sees it. Simulation passes another one in. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump in both directions. */
  nowMs(): number;
  /** Monotonic, milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`. Does not keep the process alive by itself. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` every `periodMs` until cancelled. Does not keep the process alive by itself. */
  every(periodMs: number, task: () => void): Timer;
}

/** Whole seconds since 1970, as FastDFS counts them. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}

/** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
