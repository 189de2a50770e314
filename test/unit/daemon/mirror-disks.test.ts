/** What a mirror asks of its disks. */
import { expect, test } from "vitest";
import { requireDistinctDisks } from "#daemon/mirror-disks.ts";

function disks(directory: string, ...devices: readonly number[]) {
  const state = devices.length === 0 ? "offline" : "online";
  const problem = devices.length === 0 ? "no such directory" : undefined;
  return { devices: new Set(devices), paths: [{ directory, state, problem }] } as const;
}

test("halves on disks of their own are fine, also where one is away", () => {
  requireDistinctDisks(disks("/a", 1), disks("/b", 2, 3), false);
  requireDistinctDisks(disks("/a"), disks("/b", 2), false);
});

test("halves on one file system are refused unless the settings allow it", () => {
  expect(() => requireDistinctDisks(disks("/a", 1, 2), disks("/b", 2), false)).toThrow(
    /\/a and \/b.*one file system.*one_disk/,
  );
  requireDistinctDisks(disks("/a", 1), disks("/b", 1), true);
});

test("a mirror without any disk does not start, and says why", () => {
  expect(() => requireDistinctDisks(disks("/a"), disks("/b"), true)).toThrow(
    "neither half of the mirror has a disk: /a: no such directory; /b: no such directory",
  );
});
