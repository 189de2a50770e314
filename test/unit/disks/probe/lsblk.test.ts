import { expect, test } from "vitest";
import { lsblkParameters, parseLsblk } from "#disks/probe/lsblk.ts";

test("nothing is asked for that waits for a mount", () => {
  expect(lsblkParameters("/dev/sda").join(" ")).toMatch(/^--json --bytes --output \S+ \/dev\/sda$/);
  expect(lsblkParameters("/dev/sda").join(" ")).not.toMatch(/FSSIZE|FSUSE|FSAVAIL|FSROOTS/);
});

test("devices below devices are told each once", () => {
  const volume = { name: "vg0-root", kname: "dm-0", type: "lvm", fstype: "ext4" };
  const parts = [
    { name: "sda1", kname: "sda1", type: "part", partlabel: " store ", children: [volume] },
    { name: "sda2", kname: "sda2", type: "part", children: [volume] },
  ];
  const disk = { kname: "sda", type: "disk", wwn: "0xABC", serial: null, size: 5, children: parts };
  const found = parseLsblk(JSON.stringify({ blockdevices: [disk, { size: 1 }, null, 7] }));
  expect(
    found.map(({ name, type, fileSystem, partitionLabel, wwn, serial }) => {
      return { name, type, fileSystem, partitionLabel, wwn, serial };
    }),
  ).toEqual(
    [
      { name: "sda", type: "disk", wwn: "0xabc" },
      { name: "sda1", type: "part", partitionLabel: "store" },
      { name: "dm-0", type: "lvm", fileSystem: "ext4" },
      { name: "sda2", type: "part" },
    ].map((each) => ({
      ...{ fileSystem: undefined, partitionLabel: undefined, wwn: undefined, serial: undefined },
      ...each,
    })),
  );
});

test("what is not lsblk's is nothing", () => {
  for (const text of ["", "{", "[]", "null", '{"blockdevices":{}}']) {
    expect(parseLsblk(text)).toEqual([]);
  }
});
