/** The result as text. */
import { expect, test } from "vitest";
import { benchTable } from "#cli/bench/bench-table.ts";
import { mebibytes, shortNumber } from "#cli/bench/bench-words.ts";
import { benchTarget, figures, stepResult } from "../../../support/bench-results.ts";

test("each line has its figures, the durability and the file system", () => {
  const targets = [benchTarget("a"), benchTarget("b", { durability: "never", fileSystem: "xfs" })];
  const result = stepResult("upload:4KiB:16", {
    a: figures({ cpuMicrosPerOperation: 40 }),
    b: figures(),
  });
  const [heading, first, second] = benchTable([result], targets);
  expect([heading, first, second].map((line) => line?.split(/\s{2,}/))).toEqual([
    [
      ...["STEP", "TARGET", "OPS/S", "MB/S", "P50 MS", "P99 MS", "P99.9 MS", "FAILED"],
      ...["CPU US/OP", "RATIO", "CPU S/GB", "PEAK MIB", "DURABILITY", "FILE SYSTEM"],
    ],
    [
      ...["upload 4KiB x16", "a", "1235", "5.06", "1.25", "12.3", "123", "0"],
      ...["40.0", "0.80", "12.2", "64", "flushed", "ext4 on /dev/sda1"],
    ],
    [
      ...["upload 4KiB x16", "b", "1235", "5.06", "1.25", "12.3", "123", "0"],
      ...["50.0", "1.00", "12.2", "64", "never", "xfs"],
    ],
  ]);
});

test("one target has no ratio, and what is not known is a dash", () => {
  const unknown = figures({
    cpuMicrosPerOperation: undefined,
    cpuSecondsPerGb: undefined,
    megabytesPerSecond: undefined,
    peakBytes: undefined,
  });
  const lines = benchTable(
    [stepResult("ping:1", { a: unknown })],
    [benchTarget("a", { processes: [] })],
  );
  expect(lines[0]).not.toContain("RATIO");
  expect(lines[1]?.split(/\s{2,}/)).toEqual([
    ...["ping x1", "a", "1235", "-", "1.25", "12.3", "123", "0", "-", "-", "-"],
    ...["flushed", "ext4 on /dev/sda1"],
  ]);
  expect(lines.join("\n")).toContain("Without --pid");
});

test("what went other than planned is said below", () => {
  const odd = figures({
    failed: 3,
    failures: { "status 28 (no space)": 2, "connection closed": 1 },
    unanswered: 1,
    endedBy: "space",
    generatorCpus: 0.97,
  });
  const text = benchTable(
    [
      stepResult("upload:4KiB:16", { a: odd, b: undefined }),
      stepResult("delete:4KiB:1", { a: figures({ endedBy: "files" }), b: undefined }),
      stepResult("ping:1", { a: figures({ endedBy: "lost" }), b: undefined }),
    ],
    [benchTarget("a"), benchTarget("b")],
  ).join("\n");
  for (const remark of [
    "upload 4KiB x16, a: 2 failed: status 28 (no space)",
    "upload 4KiB x16, a: 1 failed: connection closed",
    "upload 4KiB x16, a: ended early, because --space was used up",
    "upload 4KiB x16, a: 1 uploads broke off",
    "upload 4KiB x16, a: the generator was busy all the time",
    "upload 4KiB x16, b: not measured, no tracker is known",
    "delete 4KiB x1, a: ended early, because no files were left",
    "ping x1, a: ended early, because the server could not be reached",
    "coordinated omission",
  ]) {
    expect(text).toContain(remark);
  }
});

test("without results there is nothing to say", () => {
  expect(benchTable([], [benchTarget("a")])).toEqual([]);
});

test("numbers have three digits", () => {
  expect(
    [0, 0.0123, 0.0999, 1.234, 9.999, 12.34, 99.96, 12345.6, undefined].map(shortNumber),
  ).toEqual(["0", "0.012", "0.10", "1.23", "10.0", "12.3", "100", "12346", "-"]);
  expect([mebibytes(1024 * 1024 * 2.4), mebibytes(undefined)]).toEqual(["2", "-"]);
});
