/** What is measured, in which order. */
import { expect, test } from "vitest";
import {
  parseConnections,
  parseOperation,
  parseSize,
  parseStep,
  planSteps,
  stepName,
} from "#cli/bench/bench-step.ts";

test("sizes follow each other, deletions are last of each, what needs no file comes at the end", () => {
  const steps = planSteps({
    operations: ["query-store", "delete", "info", "download", "upload"],
    sizes: [4096, 1_000_000],
    connections: [1, 16],
    fresh: false,
  });
  expect(steps.map(stepName)).toEqual([
    ...["upload 4KiB x1", "upload 4KiB x16", "download 4KiB x1", "download 4KiB x16"],
    ...["info 4KiB x1", "info 4KiB x16", "delete 4KiB x1", "delete 4KiB x16"],
    ...["upload 1000000B x1", "upload 1000000B x16"],
    ...["download 1000000B x1", "download 1000000B x16"],
    ...["delete 1000000B x1", "delete 1000000B x16"],
    ...["query-store x1", "query-store x16"],
  ]);
});

test("a step can be written", () => {
  expect(
    ["upload:4KiB:16", "download:1m:1:fresh", "query-store:64", "ping:1:fresh"].map(parseStep),
  ).toEqual([
    { operation: "upload", sizeBytes: 4096, connections: 16, fresh: false },
    { operation: "download", sizeBytes: 2 ** 20, connections: 1, fresh: true },
    { operation: "query-store", sizeBytes: 0, connections: 64, fresh: false },
    { operation: "ping", sizeBytes: 0, connections: 1, fresh: true },
  ]);
  expect(stepName(parseStep("ping:2:fresh"))).toBe("ping x2 fresh");
});

test.each([
  "upload",
  "upload:4k",
  "upload:16:4k:1",
  "query-store:4k:16",
  "read:4k:1",
  "",
])("%s is no step", (text) => {
  expect(() => parseStep(text)).toThrow(/is no (step|operation|number)/);
});

test("operations, sizes and connections are checked", () => {
  expect(parseOperation("ping")).toBe("ping");
  expect(() => parseOperation("list")).toThrow('"list" is no operation: upload, download');
  expect(parseSize("64KiB")).toBe(65_536);
  for (const text of ["0", "17GiB", "much"]) expect(() => parseSize(text)).toThrow("is no size");
  expect(parseConnections("1024")).toBe(1024);
  for (const text of ["0", "1025", "-1", "1.5", ""]) {
    expect(() => parseConnections(text)).toThrow("is no number of connections");
  }
});
