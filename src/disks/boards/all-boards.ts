/** Which board this is, and what it calls the place of a disk. Pure. */
import type { Board } from "#disks/boards/board.ts";
import { helios64 } from "#disks/boards/helios64.ts";
import { odroidHc4 } from "#disks/boards/odroid-hc4.ts";
import { pc } from "#disks/boards/pc.ts";
import { raspberryPi4, raspberryPi5 } from "#disks/boards/raspberry-pi.ts";
import { rockpro64 } from "#disks/boards/rockpro64.ts";

export const boards: readonly Board[] = [
  ...[odroidHc4, helios64, rockpro64, raspberryPi4, raspberryPi5, pc],
];

/** `compatible` is the text of `/proc/device-tree/compatible`, words between zero bytes; undefined where there is no device tree. */
export function boardOf(compatible: string | undefined): Board {
  const words = new Set((compatible ?? "").split("\0"));
  return boards.find((board) => board.compatible.some((word) => words.has(word))) ?? pc;
}

/** `bay 3`, `slot 1`, `USB 1.4`; undefined where the board has no name for the place. `port` is udev's ID_PATH. */
export function bayOf(board: Board, port: string | undefined): string | undefined {
  if (port === undefined) return undefined;
  const bay = board.bays.find((each) => each.port.test(port));
  if (bay?.name !== "USB") return bay?.name;
  const socket = /-usb-\d+:([\d.]+):/.exec(port)?.[1];
  return socket === undefined ? bay.name : `USB ${socket}`;
}
