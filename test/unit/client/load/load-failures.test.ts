/** Why operations failed. */
import { expect, test } from "vitest";
import { FailureCounts, wordsOfBreak, wordsOfStatus } from "#client/load/load-failures.ts";

test("a status comes with its words", () => {
  expect([28, 2, 22, 200].map(wordsOfStatus)).toEqual([
    ...["status 28 (no space)", "status 2 (not found)", "status 22 (invalid)", "status 200"],
  ]);
});

test("a broken connection is said in words", () => {
  expect(wordsOfBreak(undefined)).toBe("connection closed");
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(wordsOfBreak(refused)).toBe("connection refused");
  expect(wordsOfBreak(new Error("odd"))).toBe("odd");
  expect(wordsOfBreak("text")).toBe("text");
});

test("failures are counted, the most frequent first", () => {
  const counts = new FailureCounts();
  counts.count("seldom");
  counts.count("often", 2);
  const more = new FailureCounts();
  more.count("often");
  counts.add(more);
  expect(counts.entries()).toEqual([
    ["often", 3],
    ["seldom", 1],
  ]);
  expect(counts.total).toBe(4);
});
