/** The kernel's files of the machine that the tests run on. */
import { expect, test } from "vitest";
import { nodeSystemFiles as files } from "#platform/node/node-system-files.ts";

test("files of the kernel are read whole, links resolved, directories listed", async () => {
  expect(files.readText("/proc/self/status")).toContain("Name:");
  expect(await files.readTextLater("/proc/sys/kernel/ostype")).toBe("Linux\n");
  expect(files.list("/sys/block").length).toBeGreaterThan(0);
  expect(files.resolve("/proc/self")).toMatch(/^\/proc\/\d+$/);
  // Longer than one portion.
  expect(files.readText("/proc/kallsyms")?.length ?? 100_000).toBeGreaterThan(64 * 1024);
});

test("what is not there is nothing", async () => {
  expect(files.readText("/proc/no-such-file")).toBeUndefined();
  expect(files.readText("/proc")).toBeUndefined();
  expect(await files.readTextLater("/proc/no-such-file")).toBeUndefined();
  expect(files.list("/sys/no-such-directory")).toEqual([]);
  expect(files.resolve("/sys/no-such-directory")).toBeUndefined();
});

test("the space of a file system is told, or why not", async () => {
  const { totalBytes, freeBytes } = await files.space("/");
  expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
  await expect(files.space("/no/such/directory")).rejects.toThrow("ENOENT");
});
