/**
 * A disk that really does not give what it was given. Goal: what a scrub and a client are told of EIO from the kernel, and what follows for
 * the disk. Method: ext4 on a loop device whose file is cut off behind the first files, so that the kernel's reads of the last one fail.
 */
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { diskOfDirectory } from "#disks/health/disk-of-directory.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { DiskHealthStage, healthDisk, healthPath } from "../../../support/disk-health-stage.ts";
import { openEngine, put, readBack } from "../../../support/engine-fixture.ts";
import { LoopDevice, loopNeeds, run } from "../../../support/loop-device.ts";
import { needs, program } from "../../../support/needs.ts";

const blockBytes = 4096;

const contentOf = (at: number): string => Buffer.alloc(300_000, `${at} `).toString();

/** Has the kernel read a file from its disk anew. */
function forgetCached(path: string): void {
  run("dd", `if=${path}`, "iflag=nocache", "count=0", "status=none");
}

/** The first block of the device that holds some of the file. */
function firstBlockOf(path: string): number {
  const extents = [...run("filefrag", "-v", path).matchAll(/^ *\d+: +\d+\.\. +\d+: +(\d+)\.\./gm)];
  return Math.max(...extents.map(([, first]) => Number(first)));
}

needs(
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("filefrag", { apt: "e2fsprogs" }),
)(
  "what the kernel cannot read is unreadable for the scrub, and the disk's verdict says so; all else is served",
  () => {
    using device = new LoopDevice(64);
    // Otherwise the kernel makes zeros of what the file does not hold.
    run("losetup", "--direct-io=on", device.path);
    run("mkfs.ext4", "-q", "-b", String(blockBytes), "-E", "lazy_itable_init=0", device.path);
    const point = mkdtempSync(join(tmpdir(), "cairn-eio-"));
    try {
      run("mount", "-o", "errors=continue,noatime", device.path, point);
      const engine = openEngine({
        files: new NodeFiles(),
        directory: point,
        diskReads: () => new NodeDiskReads(),
      });
      const names = Array.from({ length: 40 }, (_, at) =>
        put(engine, { kind: "normal", extension: "bin" }, contentOf(at)),
      );
      engine.scrub.order("start", { rateBytes: 0, busyShare: 3 });
      run("sync", "-f", point);
      const pathOf = (name: string) => join(point, "data", name.slice(4));
      const blocks = new Map(names.map((name) => [name, firstBlockOf(pathOf(name))]));
      const end = Math.max(...blocks.values());
      const size = statSync(device.image).size;
      truncateSync(device.image, end * blockBytes);
      const lost = names.filter((name) => blocks.get(name) === end);
      expect(lost.length).toBe(1);

      // Whatever is written behind the end from now on makes the image long again, and zeros of what is missing.
      for (const name of names) forgetCached(pathOf(name));
      for (const [at, name] of names.entries()) {
        if (name === lost[0]) expect(() => readBack(engine, name)).toThrow(/EIO|cannot be read/);
        else expect(readBack(engine, name).toString() === contentOf(at)).toBe(true);
      }
      while (engine.scrub.isRunning) engine.scrub.step();
      const { tally, damaged } = engine.scrub.report(10);
      expect(tally).toMatchObject({ files: 40, good: 39, damaged: 1, unreadable: 1 });
      expect(damaged).toMatchObject([{ place: lost[0]?.slice(4), damage: "unreadable" }]);

      const stage = new DiskHealthStage([], { all: false });
      const mount = { type: "ext4", readOnly: false, totalBytes: 1, freeBytes: 1 };
      stage.disks = [healthDisk(device.name, { bus: "loop", mounts: [{ point, ...mount }] })];
      expect(diskOfDirectory(point, stage.disks)?.name).toBe(device.name);
      stage.paths = [healthPath(0, point)];
      stage.look();
      stage.paths = [healthPath(0, point, { unreadableFiles: tally.unreadable })];
      stage.look();
      expect(stage.verdictOf(device.name)).toBe("watch");

      // The file is whole again when its sectors are.
      truncateSync(device.image, size);
      engine.close();
    } finally {
      run("umount", "--lazy", point);
      rmSync(point, { recursive: true, force: true });
    }
  },
);
