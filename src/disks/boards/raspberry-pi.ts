/**
 * Raspberry Pi 4 and 5. The 4 has four USB ports behind one hub and nothing else; hats with SATA hang on USB there. The 5 has a PCIe
 * connector as well, for an NVMe disk or a hat with SATA ports (JMB585 and the like).
 */
import { ataPort, type Board } from "#disks/boards/board.ts";

const sockets = [
  ...[1, 2, 3, 4, 5].map((number) => ({
    name: `port ${number} of the hat`,
    port: ataPort(number),
  })),
  { name: "PCIe", port: /-nvme-\d+$/ },
];

export const raspberryPi4: Board = {
  id: "raspberry-pi-4",
  name: "Raspberry Pi 4",
  compatible: ["raspberrypi,4-model-b", "raspberrypi,4-compute-module"],
  bays: [...sockets, { name: "USB", port: /-usb-\d+:[\d.]+:/ }],
};

export const raspberryPi5: Board = {
  id: "raspberry-pi-5",
  name: "Raspberry Pi 5",
  compatible: ["raspberrypi,5-model-b", "raspberrypi,5-compute-module"],
  bays: [...sockets, { name: "USB", port: /-usb-\d+:[\d.]+:/ }],
};
