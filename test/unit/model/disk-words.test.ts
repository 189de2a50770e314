import { expect, test } from "vitest";
import { busWord, contentWords, placeWords } from "#model/disk-words.ts";
import { diskFacts, mountFacts, partitionFacts, signatureFacts } from "../../support/disk-facts.ts";
import { factsOf } from "../../support/disk-machines.ts";

const gpt = signatureFacts({ type: "gpt", usage: "partition-table" });

test.each([
  ["sata", "sda", "SATA 3"],
  ["nvme", "nvme0n1", "PCI 01:00.0"],
  ["nvme", "dm-0", "in the kernel"],
  ["usb-same-serial", "sdc", "USB 2"],
  ["sd-card", "mmcblk0", "card"],
  ["sd-card", "loop0", "/run/media/root.squashfs"],
] as const)("of %s %s hangs at %s", (machine, name, words) => {
  const disk = factsOf(machine).find((each) => each.name === name);
  expect(disk && placeWords(disk)).toBe(words);
});

test("an unknown port is told as it is", () => {
  expect(placeWords(diskFacts({ port: "acpi-7" }))).toBe("acpi-7");
  expect(placeWords(diskFacts({ port: undefined }))).toBe("unknown");
  expect(busWord("mmc")).toBe("SD/eMMC");
});

test.each([
  [{}, "nothing that is known"],
  [{ signatures: [gpt] }, "an empty partition table (gpt)"],
  [{ signatures: [signatureFacts({ label: "photos" })] }, 'ext4 "photos"'],
  [{ mounts: [mountFacts()] }, "a file system at /srv/a"],
  [{ signatures: [signatureFacts()], mounts: [mountFacts()] }, "ext4 at /srv/a"],
  [
    {
      signatures: [signatureFacts({ type: "linux_raid_member", usage: "raid" })],
      holders: ["md0"],
    },
    "part of a RAID (in md0)",
  ],
  [
    { signatures: [signatureFacts({ type: "isw_raid_member", usage: "raid" })] },
    "part of a RAID (isw_raid_member)",
  ],
  [{ signatures: [gpt], partitions: [partitionFacts()] }, "gpt: unknown"],
  [
    {
      ofSystem: true,
      signatures: [gpt],
      partitions: [
        partitionFacts({ signatures: [signatureFacts({ type: "vfat" })] }),
        partitionFacts({ signatures: [signatureFacts({ type: "swap", usage: "other" })] }),
        partitionFacts({ signatures: [signatureFacts({ type: "crypto_LUKS", usage: "crypto" })] }),
      ],
    },
    "the system; gpt: vfat, swap, encrypted (LUKS)",
  ],
  [
    { partitions: [1, 2, 3, 4, 5, 6].map((number) => partitionFacts({ number })) },
    "unknown, unknown, unknown, unknown and 2 more",
  ],
] as const)("%j is %s", (fields, words) => {
  expect(contentWords(diskFacts(fields))).toBe(words);
});
