/**
 * Goal: a person sees the disks of a real node, what is on them and which store path lies where, and who comes and goes. Method: a node as a
 * process, whose store path is on a loop device of the test, and the command line as another process.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { DiskList, ShownDisk } from "#control/operations/disks.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";
import { program as cairn, NodeProcess } from "../support/node-process.ts";

const limitMs = 60_000;
const diskTest = needs(
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("mkfs.xfs", { apt: "xfsprogs" }),
  program("lsblk", { apt: "util-linux" }),
);

async function cli(data: string, ...words: readonly string[]): Promise<string> {
  const { command, leading } = cairn();
  const all = [...leading, ...words, "--socket", join(data, "cairn.sock")];
  const { stdout } = await promisify(execFile)(command, all, { timeout: limitMs });
  return stdout;
}

async function shown(data: string): Promise<readonly ShownDisk[]> {
  const list = JSON.parse(await cli(data, "disks", "--all", "--json")) as DiskList;
  expect(list.watching).toBe(true);
  return list.disks;
}

async function logged(node: NodeProcess, event: string, disk: string): Promise<void> {
  const line = new RegExp(`"event":"${event}".*"disk":"${disk}"`);
  await expect.poll(() => node.errors, { timeout: 2000 }).toMatch(line);
}

diskTest(
  "disks are listed and shown, and who comes and goes is logged",
  async () => {
    const data = mkdtempSync(join(tmpdir(), "cairn-disks-"));
    using stack = new DisposableStack();
    stack.defer(() => rmSync(data, { recursive: true, force: true }));
    const store = stack.use(new LoopDevice(64));
    const other = stack.use(new LoopDevice(320));
    run("mkfs.ext4", "-q", "-L", "store", store.path);
    run("mkfs.xfs", "-q", "-L", "other", other.path);
    const point = join(store.folder, "point");
    mkdirSync(point);
    run("mount", store.path, point);
    const settings = [`storage.path=${join(point, "store0")}`, "disks.manage=true"];
    const node = await NodeProcess.start({ dataDirectory: data, settings });
    try {
      const disks = await shown(data);
      const of = (name: string) => disks.find((disk) => disk.name === name);
      expect(of(store.name)).toMatchObject({
        ...{ content: `ext4 "store" at ${point}`, ofSystem: false },
        storePaths: [{ index: 0, directory: join(point, "store0") }],
      });
      expect(of(other.name)).toMatchObject({ content: 'xfs "other"', storePaths: [] });
      const table = await cli(data, "disks", "--all");
      expect(table).toMatch(new RegExp(`^${store.name} .* M00 +ext4 "store" at `, "m"));
      const one = await cli(data, "disk", "show", store.name);
      expect(one).toMatch(/^store paths +M00 /m);
      expect(one).toMatch(new RegExp(`^${point} +ext4 +\\d+ MiB +\\d+ MiB$`, "m"));
      const late = stack.use(new LoopDevice(8));
      const { name } = late;
      await logged(node, "disk-appeared", name);
      late.replug();
      await logged(node, "disk-gone", name);
    } finally {
      await node.stop();
    }
  },
  limitMs,
);
