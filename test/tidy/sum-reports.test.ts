/** The last line of CI. */
import { expect, test } from "vitest";
import { judge, type Report } from "../support/sum-reports.ts";

const run = (passed: number, failed: number, skips: Report["skips"] = {}): Report => {
  const skipped = Object.values(skips).reduce((sum, count) => sum + count, 0);
  const failures = Array.from({ length: failed }, () => "test/a.test.ts > it works: no");
  return { passed, failed, failures, secondTries: [], skipped, skips };
};

test("runs are added up to one line", () => {
  expect(judge([run(3, 0), run(4, 0)])).toEqual({ lines: ["7 passed, 0 failed"], good: true });
});

test("a failure, a skip and an empty run are not good", () => {
  expect(judge([run(3, 1), run(4, 0)])).toEqual({
    lines: ["failed: test/a.test.ts > it works: no", "7 passed, 1 failed"],
    good: false,
  });
  expect(judge([run(3, 0, { "needs nginx": 2 })])).toEqual({
    lines: ["skipped 2: needs nginx", "3 passed, 0 failed, 2 skipped"],
    good: false,
  });
  expect(judge([]).good).toBe(false);
});

test("what passed at the second try is named and is good", () => {
  const shaky = { ...run(3, 0), secondTries: ["test/a.test.ts > it waits: too late"] };
  expect(judge([run(1, 0), shaky])).toEqual({
    lines: ["passed at the second try: test/a.test.ts > it waits: too late", "4 passed, 0 failed"],
    good: true,
  });
});
