/** How a disk of Cairn's is divided, and how its file system is made. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DeviceWindow } from "#disks/guard/device-window.ts";
import { readGpt } from "#disks/guard/partition-tables.ts";
import { layoutOf } from "#disks/provision/layout.ts";
import { lookMount, makeFileSystem, mountOptions } from "#disks/provision/make-file-system.ts";
import { DiskId } from "#model/disk-id.ts";
import { needs, program, programPath } from "../../../support/needs.ts";

const MiB = 1024 * 1024;
const plan = { diskId: DiskId("c0ffee".padEnd(32, "0")), fileSystem: "ext4" } as const;

function piecesOf(sizeBytes: number, sectorBytes: number) {
  const layout = layoutOf(plan, { sizeBytes, sectorBytes });
  return { layout, pieces: [layout.mark, ...layout.table] };
}

test("the own scanner reads the table, with small and with large sectors", () => {
  for (const sectorBytes of [512, 4096]) {
    const { layout, pieces } = piecesOf(1024 * MiB, sectorBytes);
    const bytes = Buffer.alloc(MiB);
    for (const piece of pieces) if (piece.atBytes < MiB) bytes.set(piece.bytes, piece.atBytes);
    const window = new DeviceWindow(1024 * MiB, [{ atBytes: 0, bytes }]);
    const { startBytes, sizeBytes } = layout.partition;
    expect(readGpt(window)).toEqual({
      ...{ diskGuid: "c0ffee00-0000-0000-0000-000000000000", sectorBytes },
      partitions: [{ startBytes, sizeBytes, name: "cairn-c0ff" }],
    });
    expect({ startBytes, sizeBytes }).toEqual({ startBytes: MiB, sizeBytes: 1022 * MiB });
  }
});

needs(program("sgdisk", { apt: "gdisk" }))(
  "gdisk finds nothing wrong with it, at odd sizes too",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-layout-"));
    try {
      for (const sizeBytes of [600 * MiB, 600 * MiB + 512, 601 * MiB - 512]) {
        const image = join(folder, "image");
        writeFileSync(image, "");
        truncateSync(image, sizeBytes);
        const descriptor = openSync(image, "r+");
        for (const { atBytes, bytes } of piecesOf(sizeBytes, 512).pieces) {
          writeSync(descriptor, bytes, 0, bytes.length, atBytes);
        }
        closeSync(descriptor);
        const said = execFileSync(programPath("sgdisk") ?? "", ["--verify", image], {
          encoding: "utf8",
          timeout: 20_000,
        });
        expect(said).toContain("No problems found");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("all names follow from the disk's id, and a label fits every file system", () => {
  const { layout } = piecesOf(1024 * MiB, 512);
  expect(layout).toEqual(piecesOf(1024 * MiB, 512).layout);
  expect(layout.label.length).toBeLessThanOrEqual(12);
  expect(layout.fileSystemUuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  for (const type of ["ext4", "xfs", "btrfs"] as const) {
    const { label, fileSystemUuid: uuid } = layout;
    const call = makeFileSystem({ type, uuid, label, device: "/dev/sdz1" });
    expect(call.program).toBe(`mkfs.${type}`);
    expect(call.parameters.at(-1)).toBe("/dev/sdz1");
    expect(call.parameters.join(" ")).toContain(uuid);
    expect(mountOptions(type)).toMatch(/^rw,noatime,nodev,nosuid,noexec/);
    expect(lookMount(type)?.options).toMatch(
      /^ro,noatime,nodev,nosuid,noexec,(?:noload|norecovery|rescue)/,
    );
  }
  expect(lookMount("swap")).toBeUndefined();
});
