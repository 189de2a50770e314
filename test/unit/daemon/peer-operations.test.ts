import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { peerHandlers, repairProblems, repairStatus } from "#daemon/peer-operations.ts";
import { registerRepairs } from "#daemon/repair-metrics.ts";
import type { RepairSnapshot } from "#storage/repair-part.ts";
import { noRepairs } from "../../support/repair-snapshots.ts";

const recovery: RepairSnapshot["recoveries"][number] = {
  ...{ storePath: 1, state: "fetching", source: "10.0.0.2", began: 7, files: 30, bytes: 300 },
  ...{
    filesTotal: 100,
    failed: 0,
    bytesPerSecond: 10.4,
    remainingSeconds: 6.2,
    lastProblem: undefined,
  },
};

function storageWith(repair: RepairSnapshot) {
  const asked: string[] = [];
  return { asked, snapshot: () => ({ repair }), compare: () => asked.push("compare") };
}

const access = {} as never;

test("a comparison is begun at once, or follows the one under way", () => {
  const idle = storageWith(noRepairs);
  expect(peerHandlers(() => [idle]).verifyPeers({}, access)).toEqual({ started: true, round: 1 });
  const busy = storageWith({
    ...noRepairs,
    comparison: { ...noRepairs.comparison, state: "running", rounds: 4 },
  });
  expect(peerHandlers(() => [busy]).verifyPeers({}, access)).toEqual({ started: false, round: 6 });
  expect([idle.asked, busy.asked]).toEqual([["compare"], ["compare"]]);
  expect(() => peerHandlers(() => []).verifyPeers({}, access)).toThrow("stores no files");
});

test("both halves of a mirror compare", () => {
  const [first, second] = [storageWith(noRepairs), storageWith(noRepairs)];
  expect(peerHandlers(() => [first, second]).verifyPeers({}, access)).toEqual({
    ...{ started: true, round: 1 },
    mirror: { started: true, round: 1 },
  });
  expect([first.asked, second.asked]).toEqual([["compare"], ["compare"]]);
});

test("status and problems say in words what is being filled, and what could not be repaired", () => {
  expect(repairProblems(repairStatus(undefined))).toEqual([]);
  expect(repairProblems(repairStatus(storageWith(noRepairs)))).toEqual([]);
  const comparison = { ...noRepairs.comparison, failed: 2, lastProblem: "M00/…: damaged" };
  const status = repairStatus(storageWith({ comparison, recoveries: [recovery] }));
  expect(status.recoveries?.[0]).toMatchObject({
    filesTotal: 100,
    remainingSeconds: 7,
    bytesPerSecond: 10,
  });
  expect(repairProblems(status)).toEqual([
    expect.stringContaining("30 of 100 files so far"),
    expect.stringContaining("2 files differ"),
  ]);
});

test("metrics follow", () => {
  const registry = new MetricRegistry();
  const comparison = {
    ...noRepairs.comparison,
    rounds: 3,
    repairedTotal: 5,
    failed: 1,
    lastEnded: 9,
  };
  registerRepairs(registry, () => ({ comparison, recoveries: [recovery] }));
  registry.render("openmetrics");
  const text = registry.render("openmetrics");
  for (const line of [
    "storage_comparison_rounds_total 3",
    "storage_comparison_repaired_total 5",
    "storage_comparison_failed 1",
    'storage_recovery_files{path="1"} 30',
    'storage_recovery_active{path="1"} 1',
  ]) {
    expect(text).toContain(line);
  }
});
