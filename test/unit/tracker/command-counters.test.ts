import { expect, test } from "vitest";
import { CommandCounters } from "#tracker/command-counters.ts";

test("requests and failures are counted by command", () => {
  const counters = new CommandCounters();
  counters.of("queryStore").requests += 2;
  counters.of("queryStore").failures += 1;
  expect(counters.of("quit")).toEqual({ requests: 0, failures: 0 });
  expect(counters.all()).toEqual([
    { command: "queryStore", requests: 2, failures: 1 },
    { command: "quit", requests: 0, failures: 0 },
  ]);
});
