/** The kernel's table of mounts. */
import { expect, test } from "vitest";
import { isReadOnlyMount, mountOf, mountOption, parseMounts } from "#platform/mount-table.ts";

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

test("device, root and options of a mount are told, and whether it can be written to", () => {
  const lines = [
    "28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro",
    "29 1 8:1 /sub /srv rw,noatime - ext4 /dev/sda1 ro",
    "30 1 8:2 / /usr ro,noatime - xfs /dev/sda2 rw",
    "31 1 0:44 / / rw - overlay overlay rw,lowerdir=/ro\\040root,upperdir=/rw/up",
  ];
  const [root, bound, usr, overlay] = parseMounts(lines.join("\n"));
  expect(root).toMatchObject({ deviceNumber: "254:0", root: "/" });
  expect(bound).toMatchObject({ deviceNumber: "8:1", root: "/sub" });
  expect([root, bound, usr].map((each) => each && isReadOnlyMount(each))).toEqual([
    ...[false, true, true],
  ]);
  expect(overlay && mountOption(overlay, "lowerdir")).toBe("/ro root");
  expect(overlay && mountOption(overlay, "workdir")).toBeUndefined();
});
