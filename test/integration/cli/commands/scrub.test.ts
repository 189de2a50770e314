/** Scrubs of a running node, as the command line shows them. */
import { expect, test } from "vitest";
import type { PathScrubReport } from "#control/operations/files.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const ended: PathScrubReport = {
  ...{ storePath: 0, directory: "/srv/disk0", state: "idle", progressPercent: 100 },
  ...{ begunAt: 1_700_000_000, endedAt: 1_700_000_100, nextAt: 0, files: 7, bytes: 4096 },
  ...{ good: 5, unknown: 1, damaged: 1, unreadable: 0, unsteady: 0, healed: 1 },
  ...{ open: [], openTotal: 0 },
};
const lost = {
  ...({ place: "00/01/name.jpg", damage: "content", state: "lost" } as const),
  ...{ since: 1, sizeBytes: 5 },
};

test("it begins, waits until it is done and says what was found", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.scrubs = [{ ...ended, state: "running", progressPercent: 40 }];
  const running = world.run("scrub", "--store-path", "0", "--socket", "sock");
  await new Promise((resolve) => setTimeout(resolve, 100));
  daemon.scrubs = [ended];
  const { code, text } = await running;
  expect(code).toBe(0);
  expect(daemon.scrubOrders).toEqual(["start 0"]);
  expect(text).toMatch(/^PATH +STATE +LAST WHOLE/);
  expect(text).toMatch(/^0 +idle +2023-11-14 22:15:00 UTC +7 +4\.0 KiB +5 +1 +1 +1 +0$/m);
});

test("what is damaged and not healed is named, and shows in the exit code", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.scrubs = [{ ...ended, open: [lost], openTotal: 1 }];
  const report = await world.run("scrub", "report", "--socket", "sock");
  expect(report.code).toBe(65);
  expect(report.text).toContain("M00/00/01/name.jpg: content; set aside; no storage");
  const json = await world.run("scrub", "--json", "--socket", "sock");
  expect(json.code).toBe(65);
  expect(JSON.parse(json.text)).toMatchObject({ paths: [{ openTotal: 1, open: [lost] }] });
});

test("it is held, goes on and ends; what cannot be meant is refused", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  for (const order of ["pause", "resume", "stop"]) {
    expect((await world.run("scrub", order, "--socket", "sock")).code).toBe(0);
  }
  expect(daemon.scrubOrders).toEqual(["pause all", "resume all", "stop all"]);
  expect((await world.run("scrub", "--store-path", "x", "--socket", "sock")).code).toBe(2);
  expect((await world.run("scrub", "--half", "third", "--socket", "sock")).code).toBe(2);
  daemon.scrubs = [{ ...ended, state: "paused" }];
  expect((await world.run("scrub", "--socket", "sock")).errors).toContain("scrub resume");
});
