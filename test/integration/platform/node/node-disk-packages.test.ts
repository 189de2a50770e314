/** The two packages on the machine that the tests run on, through the parsers that read them. */
import { expect, test } from "vitest";
import { askDiskPackage, isDiskPackage } from "#platform/node/node-disk-packages.ts";

test("only the two packages are asked", () => {
  expect(["systeminformation", "node-disk-info", "left-pad", ""].map(isDiskPackage)).toEqual([
    ...[true, true, false, false],
  ]);
});

test("what they return is JSON with the fields that are read", async () => {
  const devices = JSON.parse(await askDiskPackage("systeminformation")) as unknown[];
  for (const device of devices) expect(device).toHaveProperty("name", expect.any(String));
  const drives = JSON.parse(await askDiskPackage("node-disk-info")) as unknown[];
  expect(drives.length).toBeGreaterThan(0);
  expect(drives).toContainEqual(
    expect.objectContaining({ blocks: expect.any(Number), mounted: "/" }),
  );
});
