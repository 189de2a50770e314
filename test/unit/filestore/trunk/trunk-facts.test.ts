/** What is told of trunk files crosses as text. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxRecordTextBytes } from "#filestore/ring.ts";
import { type TrunkFacts, trunkFactsFrom, trunkFactsText } from "#filestore/trunk/trunk-facts.ts";

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test("all that is said comes back, and fits a record", () => {
  const rebuild = fc.record({
    id: count,
    state: fc.constantFrom("running" as const, "done" as const, "stopped" as const),
    filesTotal: count,
    files: count,
    skipped: count,
    slots: count,
    freeBytesBefore: count,
    freeBytes: count,
    damagedBytes: count,
    unnamed: fc.option(count, { nil: undefined }),
  });
  const facts: fc.Arbitrary<TrunkFacts> = fc.record({
    files: fc.integer({ min: 1, max: 1_000_000 }),
    totalBytes: count,
    freeBytes: count,
    unknownFiles: count,
    rebuild: fc.option(rebuild, { nil: undefined }),
  });
  fc.assert(
    fc.property(facts, (each) => {
      const text = trunkFactsText(each);
      expect(text.length).toBeLessThan(maxRecordTextBytes);
      expect(trunkFactsFrom(text)).toEqual(each);
    }),
  );
});

test("without trunk files there is nothing to tell; other texts say nothing", () => {
  const none = { files: 0, totalBytes: 0, freeBytes: 0, unknownFiles: 0, rebuild: undefined };
  expect(trunkFactsText(none)).toBe("");
  for (const text of ["", "1 2 3", "1 2 3 x", "1 2 3 4 5"]) {
    expect(trunkFactsFrom(text)).toBeUndefined();
  }
});
