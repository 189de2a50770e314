/**
 * Goal: a disk that is pulled while files are stored on it is let go of, and serves again wherever it is plugged in, with every file that
 * was acknowledged. Method: a whole arm64 machine with the real executable; the disk is given by `cairn disk add`, pulled from the SCSI
 * controller by the emulator's monitor in the middle of uploads, and plugged in on USB, then as an NVMe disk.
 */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { needs } from "../support/needs.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { StorageCaller } from "../support/storage-caller.ts";
import { DiskPorts } from "./support/disk-ports.ts";
import { GuestNode } from "./support/guest-node.ts";
import { guestExecutable, vmLimitMs, vmNeeds } from "./support/needs.ts";

/** By name, the hash of what was acknowledged. */
type Manifest = Map<string, string>;

const random = seededRandom(20_261_123);
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function upload(storage: StorageCaller, manifest: Manifest): Promise<void> {
  const bytes = Buffer.from(random.bytes(1000 + random.below(200_000)));
  manifest.set(await storage.upload(bytes), hashOf(bytes));
}

/** Until one is refused: who asks when the disk is gone is told so. */
async function uploadUntilRefused(node: GuestNode, manifest: Manifest): Promise<void> {
  const storage = await node.storage();
  try {
    for (;;) await upload(storage, manifest);
  } catch {
    // The disk was pulled.
  } finally {
    storage.close();
  }
}

async function requireAll(node: GuestNode, manifest: Manifest): Promise<void> {
  const storage = await node.storage();
  const found: Manifest = new Map();
  for (const name of manifest.keys()) found.set(name, hashOf(await storage.download(name)));
  storage.close();
  expect(found).toEqual(manifest);
}

needs(...vmNeeds)(
  "a disk that is pulled under load serves all that was acknowledged on another bus, and another",
  async () => {
    await using node = await GuestNode.start(guestExecutable);
    const ports = new DiskPorts(node.machine);
    const medium = ports.medium("MOVES001", 512);
    let plugged = await ports.plug(medium, "scsi");
    const { name } = await node.known(medium.serial);
    const added = await node.cairn("disk", "add", name, "--read", "--yes");
    expect(added).toContain("blank   yes: every byte of it was read");
    expect(added).toContain("is one of this node's");
    const given = await node.known(medium.serial);
    expect(given).toMatchObject({ role: "store", storePaths: [{ index: 0 }] });

    const manifest: Manifest = new Map();
    const storage = await node.storage();
    for (let file = 0; file < 10; file += 1) await upload(storage, manifest);
    storage.close();
    const load = [uploadUntilRefused(node, manifest), uploadUntilRefused(node, manifest)];
    const before = manifest.size;
    while (manifest.size < before + 5) await new Promise((resolve) => setTimeout(resolve, 50));
    await ports.pull(plugged);
    await Promise.all(load);
    await node.seen("disk-gone", { serial: medium.serial });
    await node.path(0, "offline");
    expect(await node.cairn("status")).toContain("its disk");

    for (const bus of ["usb", "nvme"] as const) {
      plugged = await ports.plug(medium, bus);
      await node.path(0, "online");
      const found = await node.known(medium.serial);
      expect(found).toMatchObject({ bus, role: "store", diskId: given.diskId });
      expect(found.storePaths).toEqual(given.storePaths);
      await requireAll(node, manifest);
      const again = await node.storage();
      await upload(again, manifest);
      again.close();
      await ports.pull(plugged);
      await node.path(0, "offline");
    }
    // In the other port of the bus that it came from.
    await ports.plug(medium, "scsi", { port: 2 });
    await node.path(0, "online");
    await requireAll(node, manifest);
  },
  vmLimitMs,
);
