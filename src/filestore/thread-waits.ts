/** Waiting by the atomic operations of the language: what threads that share memory use. Every thread. */
import type { ThreadWaits } from "#platform/workers.ts";

export const threadWaits: ThreadWaits = {
  waitAsync(words, index) {
    const wait = Atomics.waitAsync(words, index, 1);
    return wait.async ? wait.value : undefined;
  },
  notify(words, index) {
    Atomics.notify(words, index);
  },
};
