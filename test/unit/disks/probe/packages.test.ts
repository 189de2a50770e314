/** What the two packages print, as JSON. */
import { expect, test } from "vitest";
import { parseDrives } from "#disks/probe/disk-info.ts";
import { parseBlockDevices } from "#disks/probe/system-information.ts";

test("blocks of df are bytes by mount point", () => {
  const drives = [
    { _filesystem: "/dev/sda1", blocks: 1000, available: 400, mounted: "/srv/a" },
    { blocks: 10, available: 20, mounted: "/srv/b" },
    { blocks: -1, available: 0, mounted: "/srv/c" },
    { blocks: 10, available: 1, mounted: "Passport" },
    null,
  ];
  expect([...parseDrives(JSON.stringify(drives))]).toEqual([
    ["/srv/a", { totalBytes: 1_024_000, freeBytes: 409_600 }],
  ]);
  expect(parseDrives("nothing").size + parseDrives("{}").size).toBe(0);
});

test("devices of the package are told with what it knows", () => {
  const found = parseBlockDevices(
    JSON.stringify([{ name: "sda", model: "", serial: "S", fsType: "ext4", label: 7 }, {}, "x"]),
  );
  expect(found).toEqual([
    {
      ...{ name: "sda", model: undefined, serial: "S", label: undefined },
      ...{ uuid: undefined, fileSystem: "ext4" },
    },
  ]);
  expect([parseBlockDevices("["), parseBlockDevices("{}")]).toEqual([[], []]);
});
