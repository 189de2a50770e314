import { expect, test } from "vitest";
import { diskVerdicts, isWorse } from "#model/disk-verdict.ts";

test("verdicts stand in the order in which they get worse", () => {
  expect(isWorse("watch", "ok")).toBe(true);
  expect(isWorse("ok", "watch")).toBe(false);
  for (const verdict of diskVerdicts) expect(isWorse(verdict, verdict)).toBe(false);
  expect(diskVerdicts.toSorted((one, other) => (isWorse(one, other) ? -1 : 1))).toEqual([
    ...["failed", "failing", "watch", "ok"],
  ]);
});
