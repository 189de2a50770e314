import { expect, test } from "vitest";
import { diskChange, isNoChange } from "#disks/disk-change.ts";
import { diskFacts, mountFacts } from "../../support/disk-facts.ts";

test("a disk that comes back under its name is another plugging", () => {
  const before = diskFacts({ name: "sda", sequence: 1 });
  const now = diskFacts({ name: "sda", sequence: 2 });
  expect(diskChange([before], [now])).toEqual({ appeared: [now], gone: [before], changed: [] });
});

test("what stands on a disk and how it answers is news, what moves all the time is not", () => {
  const before = diskFacts({ mounts: [mountFacts()] });
  const fuller = diskFacts({ mounts: [mountFacts({ freeBytes: 1 })], temperatureCelsius: 40 });
  expect(isNoChange(diskChange([before], [fuller]))).toBe(true);
  const readOnly = diskFacts({ mounts: [mountFacts({ readOnly: true })] });
  expect(diskChange([before], [readOnly]).changed).toEqual([readOnly]);
  const silent = diskFacts({ mounts: [mountFacts()], problems: ["it does not answer"] });
  expect(diskChange([before], [silent]).changed).toEqual([silent]);
});
