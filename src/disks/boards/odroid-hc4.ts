/** Hardkernel Odroid HC4: a toaster with two slots for 3.5" disks, on an ASM1061 at PCIe, and one USB 2.0 port. */
import { ataPort, type Board } from "#disks/boards/board.ts";

export const odroidHc4: Board = {
  id: "odroid-hc4",
  name: "Odroid HC4",
  compatible: ["hardkernel,odroid-hc4"],
  bays: [
    { name: "slot 1", port: ataPort(1) },
    { name: "slot 2", port: ataPort(2) },
    { name: "USB", port: /-usb-\d+:[\d.]+:/ },
  ],
};
