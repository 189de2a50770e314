/**
 * Goal: errors of a disk are noticed wherever they come from (the kernel's log, a file system that the kernel made read-only), speak against
 * the disk in words, and cost nobody a file that can be read. Method: a whole arm64 machine with the real executable; the emulator answers
 * with errors in place of the disk.
 */
import { expect } from "vitest";
import { needs } from "../support/needs.ts";
import { DiskPorts } from "./support/disk-ports.ts";
import { GuestNode } from "./support/guest-node.ts";
import { guestExecutable, vmLimitMs, vmNeeds } from "./support/needs.ts";
import { guestData } from "./support/system-disk.ts";

const content = Buffer.alloc(150_000, "cairn");

needs(...vmNeeds)(
  "a disk that fails every write turns read-only, is told to be failing, and gives what it has",
  async () => {
    await using node = await GuestNode.start(guestExecutable);
    const ports = new DiskPorts(node.machine);
    const medium = ports.medium("FAILS001", 512);
    const plugged = await ports.plug(medium, "scsi");
    const { name } = await node.known(medium.serial);
    // Named, so that not all of it has to be read.
    const size = String(medium.sizeBytes);
    const named = ["--model", "QEMU HARDDISK", "--serial", medium.serial, "--size", size];
    await node.cairn("disk", "add", name, ...named);
    const storage = await node.storage();
    const kept = await storage.upload(content);
    storage.close();

    await ports.die(plugged);
    const refused = await node.storage();
    await expect(refused.upload(content)).rejects.toMatchObject({ status: expect.any(Number) });
    refused.close();
    const judged = await node.reason(medium.serial, /has made the file system at .* read-only/);
    expect(judged.verdict).toBe("failing");
    await node.seen("disk-verdict", { disk: name, verdict: "failing" });
    const told = JSON.parse(await node.cairn("disk", "smart", name, "--json"));
    const codes = told.judgement.findings.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(expect.arrayContaining(["io-errors-many", "turned-read-only"]));
    expect(await node.cairn("disks")).toMatch(new RegExp(`^${name} .* failing `, "m"));

    await ports.revive(plugged);
    // However the table of mounts has it.
    const probe = "! touch $(echo /srv/cairn/*/store)/probe";
    expect(await node.machine.run(probe)).toContain("Read-only file system");
    const after = await node.storage();
    expect((await after.download(kept)).equals(content)).toBe(true);
    after.close();
  },
  vmLimitMs,
);

needs(...vmNeeds)(
  "a sector that cannot be read costs the file that lies there, which the scrub names, and speaks against the disk",
  async () => {
    await using node = await GuestNode.start(guestExecutable);
    const ports = new DiskPorts(node.machine);
    const medium = ports.medium("WORN0001", 512);
    const given = await ports.plug(medium, "scsi");
    const { name } = await node.known(medium.serial);
    const size = String(medium.sizeBytes);
    const named = ["--model", "QEMU HARDDISK", "--serial", medium.serial, "--size", size];
    await node.cairn("disk", "add", name, ...named);
    const storage = await node.storage();
    const lostContent = Buffer.alloc(150_000, "this one lies on the worn sector. ");
    // Appender files are never packed.
    const kept = await storage.upload(content, { appender: true });
    const lost = await storage.upload(lostContent, { appender: true });
    storage.close();
    await node.cairn("disk", "eject", name);
    await ports.pull(given);

    const sector = ports.sectorWithin(medium, lostContent.subarray(0, 512));
    await ports.plug(medium, "scsi", { unreadable: [sector] });
    await node.path(0, "online");
    const worn = await node.known(medium.serial);
    // It ends with the exit code for files that are damaged and not healed.
    const scrub = `cairn scrub --json --socket ${guestData}/cairn.sock || true`;
    expect(JSON.parse(await node.machine.run(scrub))).toMatchObject({
      paths: [{ damaged: 1, open: [{ place: lost.slice("M00/".length), damage: "unreadable" }] }],
    });
    await node.reason(medium.serial, /does not give 1 file any more/);
    const codes = (await node.smart(worn.name)).judgement.findings.map(({ code }) => code);
    expect(codes).toContain("files-unreadable");
    const after = await node.storage();
    expect((await after.download(kept)).equals(content)).toBe(true);
    await expect(after.download(lost)).rejects.toMatchObject({ status: expect.any(Number) });
    after.close();
  },
  vmLimitMs,
);
