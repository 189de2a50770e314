/** What people are told about damaged files. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { registerScrubs, scrubProblems } from "#daemon/scrub-status.ts";
import { emptyTally } from "#filestore/scrub/findings.ts";
import type { PathScrub } from "#storage/scrub-part.ts";

const damagedFile = {
  ...({ place: "00/00/a.jpg", damage: "content", sizeBytes: 5, crc32: 1, since: 1 } as const),
  region: undefined,
};

function scrub(more: Partial<PathScrub> = {}): PathScrub {
  return {
    ...{ storePath: 1, state: "idle", begunAt: 100, endedAt: 200, nextAt: 300 },
    ...{ directoriesDone: 3, directoriesTotal: 4, activeMs: 1000, tally: emptyTally() },
    ...{ damaged: [], damagedTotal: 0, healed: 2, problem: undefined },
    ...more,
  };
}

const paths = [{ index: 1, directory: "/srv/disk1" }];

test("nothing is said of a path where all is well", () => {
  expect(scrubProblems([scrub()], paths)).toEqual([]);
});

test("damaged files are counted, and it is said what becomes of them and what to do", () => {
  const damaged = [
    { ...damagedFile, state: "aside" } as const,
    { ...damagedFile, place: "00/00/b.jpg", damage: "unreadable", state: "lost" } as const,
  ];
  const [words = ""] = scrubProblems([scrub({ damaged, damagedTotal: 2 })], paths);
  for (const part of [
    "Store path 1 (/srv/disk1) has 2 damaged files (such as 00/00/a.jpg, 00/00/b.jpg)",
    "the disk does not give 1 of them",
    "1 are being had from the other storages",
    "of 1 no other storage has a good copy",
    "/srv/disk1/data/.cairn/aside",
  ]) {
    expect(words).toContain(part);
  }
});

test("a scrub that cannot go on says why", () => {
  const [words] = scrubProblems([scrub({ state: "waiting", problem: "EMFILE" })], paths);
  expect(words).toContain("cannot go on, and tries again: EMFILE");
});

test("progress and findings are metrics", () => {
  const registry = new MetricRegistry();
  const tally = { ...emptyTally(), files: 7, damaged: 1 };
  registerScrubs(registry, () => [scrub({ state: "running", tally, damagedTotal: 1 })]);
  const text = registry.render("openmetrics");
  for (const line of [
    'scrub_running{path="1"} 1',
    'scrub_progress_ratio{path="1"} 0.75',
    'scrub_files{path="1"} 7',
    'scrub_open_files{path="1"} 1',
    'scrub_healed_files{path="1"} 2',
  ]) {
    expect(text).toContain(line);
  }
});
