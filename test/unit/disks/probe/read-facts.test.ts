import { expect, test } from "vitest";
import { isDiskFacts } from "#disks/probe/read-facts.ts";
import { diskFacts, partitionFacts } from "../../../support/disk-facts.ts";

test("a disk is one also after JSON has left out what is not known", () => {
  const disk = diskFacts({ partitions: [partitionFacts()] });
  expect(isDiskFacts(JSON.parse(JSON.stringify(disk)))).toBe(true);
  for (const part of [null, "sda1", {}, { name: "sda1", mounts: [] }]) {
    expect(isDiskFacts({ ...disk, partitions: [part] })).toBe(false);
  }
  for (const name of ["name", "sizeBytes", "bus", "ofSystem", "problems"]) {
    expect(isDiskFacts({ ...disk, [name]: undefined })).toBe(false);
  }
  expect([null, 1, "disk", []].map(isDiskFacts)).toEqual([false, false, false, false]);
});
