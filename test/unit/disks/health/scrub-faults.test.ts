import { expect, test } from "vitest";
import { FaultLog } from "#disks/health/fault-log.ts";
import { ScrubFaults, type ScrubOfPath } from "#disks/health/scrub-faults.ts";

const startSeconds = 1_700_000_000;

function scrub(begunAt: number, unreadableFiles: number): ScrubOfPath {
  return { index: 0, scrubBegunAt: begunAt, unreadableFiles, rottenFiles: 0, unsteadyFiles: 0 };
}

/** What each look at store path 0 added. */
function told(looks: readonly ScrubOfPath[]): readonly number[] {
  const faults = new ScrubFaults(startSeconds);
  return looks.map((path) => {
    const log = new FaultLog();
    faults.look(path, { log, nowSeconds: startSeconds + 100 });
    return log.counts(startSeconds + 100).unreadableFiles;
  });
}

test("a scrub that is over at the first look counts as a whole, once", () => {
  const over = scrub(startSeconds + 50, 2);
  expect(told([over, over])).toEqual([2, 0]);
});

test("one under way counts by what it found since the last look", () => {
  const at = startSeconds + 50;
  expect(told([scrub(at, 0), scrub(at, 1), scrub(at, 4)])).toEqual([0, 1, 3]);
});

test("one that found as many as the one before it counts again", () => {
  expect(told([scrub(startSeconds + 50, 1), scrub(startSeconds + 60, 1)])).toEqual([1, 1]);
});

test("one of an earlier process does not count, but for what is found now", () => {
  const at = startSeconds - 50;
  expect(told([scrub(at, 7), scrub(at, 8)])).toEqual([0, 1]);
});

test("store paths are told apart", () => {
  const one = scrub(startSeconds, 1);
  expect(told([one, { ...one, index: 1 }])).toEqual([1, 1]);
});
