/** What comes to pass by itself, also on a machine that is busy with other tests. */
import { expect } from "vitest";

const limitMs = 10_000;

/** `await soon(() => value).toBe(…)`: looks again and again, for seconds if need be. */
export function soon<Value>(probe: () => Value): ReturnType<typeof expect.poll<Value>> {
  return expect.poll(probe, { timeout: limitMs });
}
