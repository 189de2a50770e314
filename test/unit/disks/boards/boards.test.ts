/** What boards call the places of their disks. */
import { expect, test } from "vitest";
import { bayOf, boardOf, boards } from "#disks/boards/all-boards.ts";
import { ataPort } from "#disks/boards/board.ts";
import { helios64 } from "#disks/boards/helios64.ts";
import { raspberryPi5 } from "#disks/boards/raspberry-pi.ts";
import { rockpro64 } from "#disks/boards/rockpro64.ts";

const usb = "platform-xhci-hcd.0.auto-usb-0:1.4:1.0-scsi-0:0:0:0";

test.each([
  ["hardkernel,odroid-hc4\0amlogic,sm1\0", "odroid-hc4"],
  ["kobol,helios64\0rockchip,rk3399\0", "helios64"],
  ["pine64,rockpro64-v2.1\0pine64,rockpro64\0rockchip,rk3399\0", "rockpro64"],
  ["raspberrypi,4-model-b\0brcm,bcm2711\0", "raspberry-pi-4"],
  ["raspberrypi,5-model-b\0brcm,bcm2712\0", "raspberry-pi-5"],
  ["friendlyarm,nanopi-r4s\0rockchip,rk3399\0", "pc"],
  [undefined, "pc"],
])("%j is %s", (compatible, id) => {
  expect(boardOf(compatible).id).toBe(id);
});

test.each([
  ["hardkernel,odroid-hc4", "platform-fc000000.pcie-pci-0000:01:00.0-ata-1.0", "slot 1"],
  ["hardkernel,odroid-hc4", "platform-fc000000.pcie-pci-0000:01:00.0-ata-2", "slot 2"],
  ["kobol,helios64", "platform-f8000000.pcie-pci-0000:01:00.0-ata-1", "bay 1 (or M.2)"],
  ["kobol,helios64", "platform-f8000000.pcie-pci-0000:01:00.0-ata-5", "bay 5"],
  ["pine64,rockpro64", "platform-f8000000.pcie-pci-0000:01:00.0-ata-2", "port 2 of the card"],
  ["pine64,rockpro64", "platform-f8000000.pcie-pci-0000:01:00.0-nvme-1", "PCIe slot"],
  ["raspberrypi,5-model-b", "platform-1000110000.pcie-pci-0000:01:00.0-nvme-1", "PCIe"],
  ["raspberrypi,4-model-b", usb, "USB 1.4"],
  ["kobol,helios64", "platform-f8000000.pcie-pci-0000:01:00.0-ata-15", undefined],
  ["kobol,helios64", undefined, undefined],
  ["unknown", "pci-0000:00:17.0-ata-3", undefined],
])("on %s a disk at %s is in %s", (compatible, port, bay) => {
  expect(bayOf(boardOf(compatible), port)).toBe(bay);
});

test("boards and their places have names of their own", () => {
  expect(new Set(boards.map(({ id }) => id)).size).toBe(boards.length);
  for (const { bays } of boards) {
    expect(new Set(bays.map(({ name }) => name)).size).toBe(bays.length);
  }
  expect(ataPort(1).test("pci-0000:01:00.0-ata-11")).toBe(false);
});

test("boards with several sockets of a kind number them from 1", () => {
  const namesOf = ({ bays }: (typeof boards)[number]) => bays.map(({ name }) => name);
  expect(namesOf(helios64)).toEqual([
    ...["bay 1 (or M.2)", "bay 2", "bay 3", "bay 4", "bay 5", "USB"],
  ]);
  expect(namesOf(rockpro64)[0]).toBe("port 1 of the card");
  expect(namesOf(raspberryPi5)[0]).toBe("port 1 of the hat");
});
