import { expect, test } from "vitest";
import { blkidParameters, parseBlkid } from "#disks/probe/blkid.ts";

test("a disk is asked for with its partitions", () => {
  expect(blkidParameters(["sda", "sda1"]).join(" ")).toBe(
    "--probe --output export /dev/sda /dev/sda1",
  );
});

test("each device has what was read off it", () => {
  const text = [
    "DEVNAME=/dev/loop1",
    "PTUUID=11",
    "PTTYPE=gpt",
    "",
    "DEVNAME=/dev/loop1p1",
    'LABEL=a\\ b\\"c',
    "UUID=22",
    "TYPE=ext4",
    "USAGE=filesystem",
    "PART_ENTRY_NAME=o\\ n\\=e",
    "PART_ENTRY_UUID=33",
    "DEVNAME=/dev/loop1p2",
    "TYPE=linux_raid_member",
    "nonsense",
    "",
    "TYPE=of nobody",
  ];
  const none = { partitionLabel: undefined, partitionUuid: undefined };
  expect(parseBlkid(text.join("\n"))).toEqual([
    {
      name: "loop1",
      signatures: [{ type: "gpt", usage: "partition-table", label: undefined, uuid: "11" }],
      ...none,
    },
    {
      name: "loop1p1",
      signatures: [{ type: "ext4", usage: "filesystem", label: 'a b"c', uuid: "22" }],
      ...{ partitionLabel: "o n=e", partitionUuid: "33" },
    },
    {
      name: "loop1p2",
      signatures: [{ type: "linux_raid_member", usage: "raid", label: undefined, uuid: undefined }],
      ...none,
    },
  ]);
});
