/** Runtime, open files, clock. */
import { expect, test } from "vitest";
import { checkClock, checkOpenFiles, checkRuntime } from "#cli/doctor/machine-checks.ts";
import type { Clock } from "#platform/clock.ts";
import { testMachine } from "../../../support/test-world.ts";

test("the runtime", () => {
  const verdict = (changes: object) => checkRuntime({ ...testMachine, ...changes }).verdict;
  expect(verdict({})).toBe("good");
  expect(verdict({ runtimeVersion: "24.1.0" })).toBe("bad");
  expect(verdict({ system: "Darwin 25 arm64" })).toBe("warning");
  expect(verdict({ memoryBytes: 128 * 1024 * 1024 })).toBe("warning");
});

test.each([
  [undefined, "unknown"],
  [{ soft: undefined, hard: undefined }, "good"],
  [{ soft: 1_048_576, hard: 1_048_576 }, "good"],
  [{ soft: 4096, hard: 4096 }, "warning"],
  [{ soft: 256, hard: 256 }, "bad"],
])("open files %j: %s", async (limit, verdict) => {
  const machine = { ...testMachine, openFilesLimit: async () => limit };
  expect((await checkOpenFiles(machine)).verdict).toBe(verdict);
});

test.each([
  ["1970-01-01T00:00:10Z", true, "bad"],
  ["2026-11-23T00:00:00Z", true, "good"],
  ["2026-11-23T00:00:00Z", false, "warning"],
  ["2026-11-23T00:00:00Z", undefined, "good"],
  ["2106-01-01T00:00:00Z", true, "bad"],
])("clock %s, synchronized %j: %s", async (time, synchronized, verdict) => {
  const clock = { nowMs: () => Date.parse(time) } as Clock;
  const machine = { ...testMachine, clockIsSynchronized: async () => synchronized };
  const finding = await checkClock(machine, clock);
  expect(finding.verdict).toBe(verdict);
  expect(finding.advice === undefined).toBe(verdict === "good");
});
