/**
 * A whole node that looks after its disks, as a process that is root and starts its own helper, and its command line. Ends with nothing of it
 * mounted; the node is the test's to stop.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { run } from "./loop-device.ts";
import { NodeProcess } from "./node-process.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const execute = promisify(execFile);

/** `cairn …` for the node with its data there: what it printed, or what it failed with. */
export async function cairnOf(dataDirectory: string, ...words: readonly string[]): Promise<string> {
  const all = [mainFile, ...words, "--socket", join(dataDirectory, "cairn.sock")];
  const { stdout } = await execute(process.execPath, all, { timeout: 120_000 });
  return stdout;
}

export class DiskStage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-disks-"));
  readonly mounts = join(this.folder, "mounts");
  readonly data = join(this.folder, "data");

  constructor() {
    run("mkdir", this.mounts, this.data);
  }

  start(...settings: readonly string[]): Promise<NodeProcess> {
    return NodeProcess.start({
      dataDirectory: this.data,
      settings: ["disks.manage=true", `disks.mount_directory=${this.mounts}`, ...settings],
    });
  }

  /** Of `cairn …`: what it printed, or what it failed with. */
  cairn(...words: readonly string[]): Promise<string> {
    return cairnOf(this.data, ...words);
  }

  /** Until no store path is on its way any more. */
  async moved(): Promise<void> {
    const until = performance.now() + 120_000;
    for (;;) {
      const { moves } = JSON.parse(await this.cairn("disk", "moves", "--json")) as {
        moves: readonly { phase: string; problem?: string }[];
      };
      if (moves.length > 0 && moves.every(({ phase }) => phase === "done")) return;
      if (performance.now() > until) throw new Error(JSON.stringify(moves));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  [Symbol.dispose](): void {
    for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
      const point = line.split(" ")[4] ?? "";
      if (point.startsWith(`${this.folder}/`)) run("umount", "--lazy", "--", point);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
