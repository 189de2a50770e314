/**
 * What a board calls the places where disks are plugged, by the port that the kernel names. Tables as data, one file a board. No real board was
 * tried: the tables follow the boards' documentation and mainline device trees, which know of no LED for a single bay on any of them.
 */

export interface Bay {
  /** As the owner of the box finds it: on the case, or by the documentation. */
  readonly name: string;
  /** Fits udev's ID_PATH of a disk in this place. */
  readonly port: RegExp;
}

export interface Board {
  readonly id: string;
  readonly name: string;
  /** Words of the device tree's `compatible`, any of them; none for the board that all others are. */
  readonly compatible: readonly string[];
  /** The first that fits. */
  readonly bays: readonly Bay[];
}

/** Port `number` of the only SATA controller, in the words of udev of any age. */
export function ataPort(number: number): RegExp {
  return new RegExp(`-ata-${number}(?:\\.\\d+)?$`);
}
