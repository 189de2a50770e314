/**
 * Goal: the files of a foreign disk are in a node's group by one command, with a list of what each is called now, once, also where the node is
 * killed meanwhile; the disk stays as it is. Method: a real node, its command line, the disks that FastDFS 6.16.1 has left, and the store path
 * of another node with a passport.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { ShownImport } from "#control/operations/disk-imports.ts";
import { importDisk, listImports } from "#control/operations/disk-imports.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { controlOf, identityIn, makeDisk, moveDisk } from "../support/disk-node.ts";
import { LiveNode, storable } from "../support/live-node.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";
import { eventually } from "../support/node-group.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { unpackStorePath } from "../support/store-path-vectors.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const execute = promisify(execFile);
const limitMs = 120_000;
const waitMs = 40_000;

async function cairn(node: LiveNode, ...words: readonly string[]): Promise<string> {
  const socket = ["--socket", join(node.folder, "cairn.sock")];
  const { stdout } = await execute(process.execPath, [mainFile, ...words, ...socket], {
    timeout: waitMs,
  });
  return stdout;
}

/** Each file with what is in it and when it was changed. */
function digestOf(directory: string): string {
  const sum = createHash("sha256");
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    sum.update(name);
    try {
      sum.update(readFileSync(join(directory, name)));
    } catch {
      // A directory.
    }
  }
  return sum.digest("hex");
}

function pairsIn(lists: readonly string[]): Map<string, string> {
  const lines = lists.flatMap((list) => readFileSync(list, "latin1").split("\n"));
  return new Map(
    lines.flatMap((line) => {
      const [old = "", made] = line.split(" ");
      return line.startsWith("#") || made === undefined ? [] : [[old, made] as const];
    }),
  );
}

async function ended(node: LiveNode, id: string): Promise<ShownImport> {
  let found: ShownImport | undefined;
  await eventually(waitMs, async () => {
    const { imports } = await controlOf(node.folder).ask(listImports, {});
    found = imports.find((each) => each.id === id);
    return found?.state === "done" || found?.state === "failed";
  });
  if (found === undefined) throw new Error("it was forgotten");
  return found;
}

test(
  "what an old FastDFS server has left is stored by one command",
  async () => {
    const old = mkdtempSync(join(tmpdir(), "cairn-old-"));
    await using node = await LiveNode.start();
    try {
      await storable(node.tracker);
      for (const vector of ["plain", "trunk"] as const) {
        mkdirSync(join(old, vector));
        unpackStorePath(vector, new NodeFiles(), join(old, vector));
        const directory = join(old, vector, "path1");
        const before = digestOf(directory);
        const words = ["disk", "import", directory, "--group", "group5", "--store-path", "1"];
        const shown = JSON.parse(await cairn(node, ...words, "--yes", "--json")) as ShownImport;
        expect(shown).toMatchObject({ state: "done", left: 0 });
        expect(shown.files).toBeGreaterThan(4);
        expect(digestOf(directory)).toBe(before);
        const pairs = pairsIn(shown.lists);
        expect(pairs.size).toBe(shown.files);
        const storage = await StorageCaller.connect(node.storage.port);
        for (const [from, to] of pairs) {
          expect(from.startsWith("group5/M01/")).toBe(true);
          if (to.endsWith("-m")) {
            expect(await storage.getMetadata(to.slice(7, -2))).not.toBe("");
            continue;
          }
          const place = join(directory, "data", from.slice(11));
          const content = await storage.download(to.slice(7)).catch(() => Buffer.alloc(0));
          if (!from.includes("@")) expect(content).toEqual(readFileSync(place));
        }
        storage.close();
      }
      expect(await cairn(node, "disk", "imports")).toContain("done");
      const own = cairn(node, "disk", "import", node.store, "--yes");
      await expect(own).rejects.toMatchObject({ stderr: expect.stringContaining("is served") });
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  },
  limitMs,
);

test(
  "an import goes on after the node was killed, and stores no file twice",
  async () => {
    const old = mkdtempSync(join(tmpdir(), "cairn-old-"));
    const count = 1500;
    try {
      {
        await using source = await LiveNode.start(() => ["storage.durability=relaxed"]);
        const storage = await StorageCaller.connect(source.storage.port);
        // Some have the same content.
        for (let file = 0; file < count; file += 1) {
          await storage.upload(Buffer.from(`file ${file % 1000} `.repeat(20)));
        }
        storage.close();
        await source.process.stop();
        moveDisk(source.store, join(old, "store0"));
      }
      await using node = await LiveNode.start();
      await storable(node.tracker);
      const control = () => controlOf(node.folder);
      const from = { directory: join(old, "store0"), group: "group2", storePath: 0 };
      const { id } = await control().ask(importDisk, from);
      const list = join(node.folder, "imports", `${id}-0.list`);
      const listed = () => {
        try {
          return pairsIn([list]).size;
        } catch {
          return 0;
        }
      };
      for (const part of [100, 700]) {
        await eventually(waitMs, () => listed() > part);
        await node.process.kill();
        await node.restart();
      }
      const shown = await ended(node, id);
      expect(shown).toMatchObject({ state: "done", left: 0, files: count });
      const pairs = pairsIn([list]);
      expect(pairs.size).toBe(count);
      expect(new Set(pairs.values()).size).toBe(count);
      const data = readdirSync(join(node.store, "data"), { recursive: true, encoding: "utf8" });
      const stored = data.filter((name) =>
        /^..\/..\/[\w-]{34,}|^..\/..\/[\w-]{27}.{7}$/.test(name),
      );
      expect(stored.length).toBe(count);
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  },
  limitMs,
);

test(
  "a disk of another node and group is imported by its id, and waits for a yes as before",
  async () => {
    const managed = ["disks.manage=true", "disks.mount_directory=./mnt"];
    const content = Buffer.from("from another group");
    let name = "";
    const drawer = mkdtempSync(join(tmpdir(), "cairn-drawer-"));
    try {
      {
        const settings = [...managed, "storage.group=group9"];
        await using other = await LiveNode.start(() => settings);
        const identity = identityIn(other.folder);
        const disk = join(other.folder, "mnt/c");
        makeDisk(disk, identity, { digit: "c", indexes: [0], group: "group9" });
        await storable(other.tracker);
        const storage = await StorageCaller.connect(other.storage.port, "group9");
        name = await storage.upload(content, { extension: "txt" });
        storage.close();
        await other.process.stop();
        moveDisk(disk, join(drawer, "c"));
      }
      await using node = await LiveNode.start(() => managed);
      makeDisk(join(node.folder, "mnt/a"), identityIn(node.folder), { digit: "a", indexes: [0] });
      await storable(node.tracker);
      moveDisk(join(drawer, "c"), join(node.folder, "mnt/c"));
      await eventually(waitMs, async () =>
        (await cairn(node, "disk", "found")).includes("foreign"),
      );
      const before = digestOf(join(node.folder, "mnt/c"));
      const id = "c".repeat(32);
      expect(await cairn(node, "disk", "import", id, "--yes")).toContain("all is stored");
      const [shown] = (await controlOf(node.folder).ask(listImports, {})).imports;
      const made = pairsIn(shown?.lists ?? []).get(`group9/${name}`) ?? "";
      const storage = await StorageCaller.connect(node.storage.port);
      expect(await storage.download(made.slice(7))).toEqual(content);
      storage.close();
      expect(digestOf(join(node.folder, "mnt/c"))).toBe(before);
      expect(await cairn(node, "disk", "found")).toContain("foreign");
    } finally {
      rmSync(drawer, { recursive: true, force: true });
    }
  },
  limitMs,
);

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "a foreign disk that is not mounted is imported without a sector of it being written",
  async () => {
    using device = new LoopDevice(64);
    const drawer = mkdtempSync(join(tmpdir(), "cairn-drawer-"));
    try {
      const managed = ["disks.manage=true", "disks.mount_directory=./mnt"];
      let name = "";
      {
        await using other = await LiveNode.start(() => managed);
        makeDisk(join(other.folder, "mnt/e"), identityIn(other.folder), {
          digit: "e",
          indexes: [0],
        });
        await storable(other.tracker);
        const storage = await StorageCaller.connect(other.storage.port);
        name = await storage.upload(Buffer.from("on a loop"), { extension: "txt" });
        storage.close();
        await other.process.stop();
        moveDisk(join(other.folder, "mnt/e"), join(drawer, "e"));
      }
      run("mkfs.ext4", "-q", "-F", "-L", "cairn-eeee", device.path);
      const point = join(drawer, "point");
      mkdirSync(point);
      run("mount", device.path, point);
      run("cp", "-a", `${join(drawer, "e")}/.`, point);
      run("umount", point);
      const before = device.changedSectors();
      await using node = await LiveNode.start((folder) => [
        ...["disks.manage=true", `disks.mount_directory=${folder}/mnt`, "storage.path=./own"],
      ]);
      await storable(node.tracker);
      await eventually(waitMs, async () =>
        (await cairn(node, "disk", "found")).includes("foreign"),
      );
      expect(await cairn(node, "disk", "import", "e".repeat(32), "--yes")).toContain(
        "all is stored",
      );
      const [shown] = (await controlOf(node.folder).ask(listImports, {})).imports;
      const made = pairsIn(shown?.lists ?? []).get(`group1/${name}`) ?? "";
      const storage = await StorageCaller.connect(node.storage.port);
      expect((await storage.download(made.slice(7))).toString()).toBe("on a loop");
      storage.close();
      expect(device.changedSectors()).toBe(before);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(`${node.folder}/mnt`);
    } finally {
      rmSync(drawer, { recursive: true, force: true });
    }
  },
  limitMs,
);
