/** The declarations of the system's operations. */
import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import { setLogLevel, status, systemOperations } from "#control/operations/system.ts";

test("names are unique, and only what changes nothing is for viewers", () => {
  const all = Object.values(systemOperations);
  expect(all.map((operation) => operation.name)).toEqual([
    "status",
    "config.show",
    "version",
    "log-level.set",
  ]);
  expect(all.filter((each) => each.access === "viewer" && each.effect !== "read")).toEqual([]);
});

test("inputs are exact", () => {
  const read = (input: unknown) =>
    readShape(setLogLevel.input, input, { what: "input", surplus: "refuse" });
  expect(read({ level: "debug" })).toEqual({ level: "debug" });
  expect(() => read({ level: "verbose" })).toThrow("input.level must be one of");
  expect(() => read({})).toThrow("input.level must be one of");
});

test("a node that only tracks has a status, too", () => {
  const output = {
    version: "0.1.0",
    state: "ready",
    processId: 7,
    startedAt: 1700000000,
    address: "10.0.0.1",
    residentBytes: 1,
    roles: [{ name: "tracker", state: "serving", endpoints: ["10.0.0.1:22122"] }],
    storePaths: [],
    trackers: [],
    problems: [],
  };
  expect(readShape(status.output, output, { what: "output", surplus: "refuse" })).toEqual(output);
});
