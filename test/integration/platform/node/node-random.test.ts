/** The system's randomness: in range, spread, and not the same twice. */
import { expect, test } from "vitest";
import { nodeRandom } from "#platform/node/node-random.ts";

test("numbers stay below the limit and reach all of it, over several blocks", () => {
  const random = nodeRandom();
  const seen = Array.from({ length: 5000 }, () => random.below(10));
  expect([...new Set(seen)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(random.below(1)).toBe(0);
  expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
});

test("bytes are as many as asked for, and others each time", () => {
  const random = nodeRandom();
  const [first, second] = [random.bytes(16), random.bytes(16)];
  expect([first.length, random.bytes(0).length]).toEqual([16, 0]);
  expect(first).not.toEqual(second);
  expect(nodeRandom().below(2 ** 32)).not.toBe(nodeRandom().below(2 ** 32));
});
