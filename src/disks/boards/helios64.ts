/**
 * Kobol Helios64: five bays on a JMB585 at PCIe. The M.2 socket shares port 1 with the first bay, which is dead while an SSD is in the
 * socket.
 */
import { ataPort, type Board } from "#disks/boards/board.ts";

export const helios64: Board = {
  id: "helios64",
  name: "Helios64",
  compatible: ["kobol,helios64"],
  bays: [
    { name: "bay 1 (or M.2)", port: ataPort(1) },
    ...[2, 3, 4, 5].map((number) => ({ name: `bay ${number}`, port: ataPort(number) })),
    { name: "USB", port: /-usb-\d+:[\d.]+:/ },
  ],
};
