/** The machine as it is. */
import { expect, test } from "vitest";
import { nodeMachine, parseOpenFilesLimit } from "#platform/node/node-machine.ts";

test("what it tells is plausible", async () => {
  const machine = nodeMachine();
  expect(machine.runtimeVersion).toBe(process.versions.node);
  expect(machine.system).toContain(process.arch);
  expect(machine.cpuCount).toBeGreaterThan(0);
  expect(machine.memoryBytes).toBeGreaterThan(2 ** 26);
  expect((await machine.openFilesLimit())?.soft ?? 1).toBeGreaterThan(0);
  expect([true, false, undefined]).toContain(await machine.clockIsSynchronized());
});

test.each([
  ["Max open files            1024                 524288               files", 1024, 524288],
  [
    "Limit\nMax open files            unlimited            unlimited            files",
    undefined,
    undefined,
  ],
])("limits are read from the kernel's table: %j", (text, soft, hard) => {
  expect(parseOpenFilesLimit(text)).toEqual({ soft, hard });
});

test("another table has none", () => {
  expect(parseOpenFilesLimit("Max processes 5 5 processes")).toBeUndefined();
});
