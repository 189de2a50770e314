/**
 * In which ways a disk is asked for its health, the likeliest first. smartctl's own table (`auto`) knows some two hundred bridges; for
 * others SAT is tried, which is the standard, and after it what the maker of the chip once invented. A maker's own commands are never sent
 * to somebody else's chip: to a SAT bridge the first byte of JMicron's NVMe command is "ATA pass-through", and the rest reads as a reset
 * of the disk. Pure.
 */

import type { SmartDeviceType } from "#disks/smart/smartctl-arguments.ts";
import type { BridgeFacts, DiskBus } from "#model/disk-facts.ts";

/** By the USB vendor ids of chip makers. */
const ofMaker: ReadonlyMap<string, readonly SmartDeviceType[]> = new Map([
  ["152d", ["usbjmicron", "sntjmicron"]],
  ["04b4", ["usbcypress"]],
  ["067b", ["usbprolific"]],
  ["04fc", ["usbsunplus"]],
  ["174c", ["sntasmedia"]],
  ["0bda", ["sntrealtek"]],
]);

/** Empty where nothing is to be learned: cards, loop devices and disks of virtual machines have no SMART. */
export function candidateTypes(
  bus: DiskBus,
  bridge: Pick<BridgeFacts, "vendorId"> | undefined,
): readonly SmartDeviceType[] {
  switch (bus) {
    case "sata":
      return ["auto", "sat"];
    case "nvme":
      return ["nvme"];
    case "scsi":
      return ["auto", "scsi", "sat"];
    case "usb": {
      const own = bridge === undefined ? [] : (ofMaker.get(bridge.vendorId.toLowerCase()) ?? []);
      // Last: what the bridge says for itself.
      return ["auto", "sat", "sat,12", ...own, "scsi"];
    }
    case "unknown":
      return ["auto"];
    case "virtio":
    case "mmc":
    case "loop":
    case "virtual":
      return [];
  }
}
