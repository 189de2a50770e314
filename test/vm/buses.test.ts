/**
 * Goal: disks on the buses that boxes have are known by what they are and where they hang, and what they tell of their health is understood.
 * Method: a whole arm64 machine with the real executable; SCSI, NVMe and USB disks are plugged in by the emulator's monitor while the node
 * runs, the SATA disk is there from the start.
 */
import { expect } from "vitest";
import type { DiskList } from "#control/operations/disks.ts";
import { needs } from "../support/needs.ts";
import { DiskPorts, type PluggedDisk } from "./support/disk-ports.ts";
import { GuestNode } from "./support/guest-node.ts";
import { sataDisk } from "./support/machine.ts";
import { guestExecutable, vmLimitMs, vmNeeds } from "./support/needs.ts";

needs(...vmNeeds)(
  "disks on SATA, SCSI, NVMe and USB are met as they are plugged in, and judged by what they tell",
  async () => {
    await using node = await GuestNode.start(guestExecutable);
    const ports = new DiskPorts(node.machine);
    const scsi = ports.medium("SCSI0001", 300);
    const nvme = ports.medium("NVME0001", 400);
    const usb = ports.medium("USBD0001", 500);
    const pluggedNvme = await ports.plug(nvme, "nvme");
    await ports.plug(scsi, "scsi");
    await ports.plug(usb, "usb");
    for (const { serial } of [nvme, scsi, usb, sataDisk]) await node.known(serial);

    const { disks } = JSON.parse(await node.cairn("disks", "--json")) as DiskList;
    const of = (serial: string) => disks.find((disk) => disk.serial === serial);
    const blank = { content: "nothing that is known", ofSystem: false, problems: [] };
    expect(of(scsi.serial)).toMatchObject({
      ...{ ...scsi, ...blank, bus: "scsi", vendor: "QEMU", model: "QEMU HARDDISK" },
      ...{ name: expect.stringMatching(/^sd[a-z]$/), port: expect.stringMatching(/scsi-0:0:1:0$/) },
    });
    expect(of(nvme.serial)).toMatchObject({
      ...{ ...nvme, ...blank, bus: "nvme", model: "QEMU NVMe Ctrl", rotational: false },
      ...{ name: "nvme0n1", port: expect.stringMatching(/nvme-1$/) },
      temperatureCelsius: 50,
    });
    expect(of(usb.serial)).toMatchObject({
      ...{ ...usb, ...blank, bus: "usb", model: "QEMU HARDDISK" },
      bridge: { vendorId: "46f4", productId: "0001", hidesSerial: false },
      port: expect.stringMatching(/usb-0:1:1\.0-scsi-0:0:0:0$/),
      where: expect.stringContaining("USB"),
    });
    expect(of(sataDisk.serial)).toMatchObject({
      ...{ ...sataDisk, ...blank, bus: "sata", model: "QEMU HARDDISK" },
      port: expect.stringMatching(/ata-1/),
    });
    expect(disks.find(({ bus }) => bus === "virtio")).toMatchObject({ ofSystem: true });

    expect(await node.smart("nvme0n1")).toMatchObject({
      judgement: { verdict: "ok", findings: [] },
      smart: { protocol: "nvme", passed: true, serial: nvme.serial, temperatureCelsius: 50 },
    });
    expect(await node.smart(of(sataDisk.serial)?.name ?? "")).toMatchObject({
      judgement: { verdict: "ok", findings: [] },
      smart: { protocol: "ata", passed: true, serial: sataDisk.serial, reallocated: 0 },
    });
    // These emulated ones tell nothing, which is no reason to doubt them.
    for (const { serial } of [scsi, usb]) {
      expect(await node.smart(of(serial)?.name ?? "")).toMatchObject({
        judgement: { verdict: "ok", findings: [] },
        problem: expect.stringContaining("understands"),
      });
    }

    await raiseAlarm(node, pluggedNvme);
  },
  vmLimitMs,
);

/** The NVMe disk says from now on that it cannot be relied on. */
async function raiseAlarm(node: GuestNode, { id, medium }: PluggedDisk): Promise<void> {
  await node.machine.qmp.ask("qom-set", {
    path: `/machine/peripheral/${id}`,
    property: "smart_critical_warning",
    value: 4,
  });
  const told = JSON.parse(await node.cairn("disk", "smart", "nvme0n1", "--json"));
  expect(told).toMatchObject({
    judgement: {
      verdict: "failing",
      findings: [{ code: "unreliable", grade: "failing", advice: expect.stringMatching(/./) }],
    },
    smart: { passed: false, warnings: ["unreliable"] },
  });
  await node.seen("disk-verdict", { disk: "nvme0n1", verdict: "failing" });
  expect(await node.known(medium.serial)).toMatchObject({
    verdict: "failing",
    reasons: [expect.stringContaining("unreliable")],
  });
  expect(await node.cairn("disks")).toMatch(/^nvme0n1 .* failing /m);
}
