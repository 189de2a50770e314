/**
 * Pine64 ROCKPro64 in its NAS case: what is in the PCIe slot decides, usually a card with two SATA ports (ASM1062), or an NVMe adapter. The case
 * has room for two 3.5" and two 2.5" disks, and does not number them.
 */
import { ataPort, type Board } from "#disks/boards/board.ts";

export const rockpro64: Board = {
  id: "rockpro64",
  name: "ROCKPro64",
  compatible: ["pine64,rockpro64", "pine64,rockpro64-v2.0", "pine64,rockpro64-v2.1"],
  bays: [
    ...[1, 2, 3, 4].map((number) => ({
      name: `port ${number} of the card`,
      port: ataPort(number),
    })),
    { name: "PCIe slot", port: /-nvme-\d+$/ },
    { name: "USB", port: /-usb-\d+:[\d.]+:/ },
  ],
};
