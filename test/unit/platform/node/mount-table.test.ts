/** The kernel's table of mounts. */
import { expect, test } from "vitest";
import { mountOf, parseMounts } from "#platform/node/mount-table.ts";

const table = parseMounts(
  [
    "22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw",
    "28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
    "90 28 8:1 / /srv/disk\\0401 rw - xfs /dev/sda1 rw",
    "91 28 8:2 / /srv/disk\\0401 rw - btrfs /dev/sdb1 rw",
    "not a line of the table",
    "",
  ].join("\n"),
);

test.each([
  ["/", "ext4"],
  ["/srv", "ext4"],
  ["/srv/disk 1", "btrfs"],
  ["/srv/disk 1/data", "btrfs"],
  ["/srv/disk 10", "ext4"],
  ["/sys/kernel", "sysfs"],
])("%s lies on %s", (path, type) => {
  expect(mountOf(path, table)?.type).toBe(type);
});

test("what is mounted is told", () => {
  expect(table.map(({ source }) => source)).toEqual([
    "sysfs",
    "/dev/vda",
    "/dev/sda1",
    "/dev/sdb1",
  ]);
});

test("without mounts nothing is known", () => {
  expect(mountOf("/", [])).toBeUndefined();
});
