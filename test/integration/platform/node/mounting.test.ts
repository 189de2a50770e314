/** For how long a file system has been mounted: from trees made like `/proc` and `/sys`, and from those of the kernel. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mounting } from "#platform/node/mounting.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { needs, program, programPath } from "../../../support/needs.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../../../support/small-file-system.ts";

const bootId = "8148dabf-dc55-4495-a485-c2278d273948";
const sda1 = 0x8_01;

test("it is the directory of the file system and the start of the kernel, where both tell", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-mounting-"));
  try {
    const world = { proc: join(folder, "proc"), sys: join(folder, "sys") };
    const asked = () => mounting(sda1, world);
    const bootPath = join(world.proc, "sys/kernel/random");
    const own = join(world.sys, "fs/ext4/sda1");
    for (const path of [bootPath, own, join(world.sys, "devices/sda/sda1")]) {
      mkdirSync(path, { recursive: true });
    }
    mkdirSync(join(world.sys, "dev/block"), { recursive: true });
    symlinkSync("../../devices/sda/sda1", join(world.sys, "dev/block/8:1"));
    expect(asked()).toBe(undefined);
    writeFileSync(join(bootPath, "boot_id"), `${bootId}\n`);
    expect(asked()).toBe(`${bootId}:${statSync(own).ino}`);
    // A disk without a mounted file system of these kinds, and no disk at all.
    expect(mounting(0x8_02, world)).toBe(undefined);
    expect(mounting(42, world)).toBe(undefined);
    rmSync(own, { recursive: true });
    expect(asked()).toBe(undefined);
    mkdirSync(join(world.sys, "fs/xfs/sda1"), { recursive: true });
    expect(asked()).toContain(bootId);
    writeFileSync(join(bootPath, "boot_id"), "");
    expect(asked()).toBe(undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("file systems without a disk, and paths that are not there, do not tell", () => {
  const files = new NodeFiles();
  expect(files.mounting("/proc")).toBe(undefined);
  expect(files.mounting(join(tmpdir(), "cairn-not-here"))).toBe(undefined);
});

needs(...smallFileSystemNeeds, program("unshare", { apt: "util-linux" }))(
  "it is the same as long as a file system is mounted, also for a process that has mounts of its own, and never again",
  () => {
    using disk = new SmallFileSystem(16);
    const files = new NodeFiles();
    const seen = new Set<string>();
    for (let time = 0; time < 3; time += 1) {
      const own = files.mounting(disk.path);
      expect(own).toMatch(/^[0-9a-f-]{36}:\d+$/);
      mkdirSync(join(disk.path, `folder${time}`));
      expect(files.mounting(join(disk.path, `folder${time}`))).toBe(own);
      expect(askedElsewhere(disk.path)).toBe(own);
      seen.add(own ?? "");
      disk.mend();
    }
    expect(seen.size).toBe(3);
  },
);

/** As a service sees it that is started with a name space of its own. */
function askedElsewhere(path: string): string {
  const source = new URL("../../../../src/platform/node/node-files.ts", import.meta.url);
  const script = `const { NodeFiles } = await import("${source.href}");
    console.log(new NodeFiles().mounting(process.argv[1]));`;
  const command = [process.execPath, "--input-type=module", "-e", script, "--", path];
  const options = { encoding: "utf8", timeout: 20_000 } as const;
  return execFileSync(programPath("unshare") ?? "", ["--mount", ...command], options).trim();
}
