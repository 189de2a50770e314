/**
 * Goal: on real file systems, a disk is retired and its files are on the other one, byte for byte; a new disk takes the place of one that is
 * still there. Method: a whole node as a process that is root, loop devices with ext4, and the command line. Tells how fast a path is copied and
 * for how long it is away.
 */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { DiskStage } from "../support/disk-stage.ts";
import { logLines, storable } from "../support/live-node.ts";
import { LoopDevice, loopNeeds } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const limitMs = 240_000;
const size = 1200;

const sum = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "a disk is retired to another one, and replaced by a third, without a file or a file id being lost",
  async () => {
    using first = new LoopDevice(size);
    using second = new LoopDevice(size);
    using third = new LoopDevice(size);
    using stage = new DiskStage();
    const node = await stage.start();
    const bytes = ["--size", String(size * 1024 ** 2)];
    try {
      await stage.cairn("disk", "add", first.name, ...bytes);
      await storable({ address: "127.0.0.1", port: node.ports.tracker });
      const files = new Map<string, string>();
      const storage = await StorageCaller.connect(node.ports.storage);
      for (let file = 0; file < 400; file += 1) {
        const content = Buffer.alloc(file % 20 === 0 ? 5_000_000 : 3000 + file, file);
        files.set(await storage.upload(content, { extension: "bin" }), sum(content));
      }
      const requireAll = async (): Promise<void> => {
        for (const [name, content] of files) {
          expect(sum(await storage.download(name))).toBe(content);
        }
      };
      const full = stage.cairn("disk", "retire", first.name, "--yes");
      await expect(full).rejects.toMatchObject({ stderr: expect.stringContaining("add a disk") });
      await stage.cairn("disk", "add", second.name, ...bytes);
      const plan = await stage.cairn("disk", "retire", first.name, "--yes");
      expect(plan).toContain("M00");
      await stage.moved();
      await requireAll();
      const shown = await stage.cairn("disks", "--all");
      const line = shown.split("\n").find((each) => each.startsWith(`${first.name} `)) ?? "";
      expect(line).toContain("retired");
      expect(await stage.cairn("disk", "eject", first.name)).toContain("can be pulled");
      await stage.cairn("disk", "replace", second.name, third.name, ...bytes);
      await stage.moved();
      await requireAll();
      storage.close();
      const moves = logLines(node.errors).filter(({ event }) => event === "store-path-move");
      expect(moves.filter(({ phase }) => phase === "done")).toHaveLength(3);
    } finally {
      await node.stop();
    }
  },
  limitMs,
);
