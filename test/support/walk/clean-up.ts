/**
 * Takes away whatever a walk has left on the machine: its nodes, mounts and loop devices. Run by the walk at its end, and by its FUSE server,
 * which outlives a test that was killed.
 *
 *   node clean-up.ts FOLDER FUSE-MOUNT
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ask, isFree, loops, mounts, pause, ports, until } from "./system.ts";

const goneLimitMs = 8000;

/** Nodes note their number in `FOLDER/pids`; a number that another process has by now is left alone. */
function endNodes(folder: string): void {
  const pids = join(folder, "pids");
  for (const name of existsSync(pids) ? readdirSync(pids) : []) {
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, "utf8").includes(folder)) continue;
      process.kill(Number(name), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/** What stays is said; nothing is waited for in vain. */
async function trying(act: Promise<unknown>): Promise<void> {
  await act.catch((error: unknown) => {
    process.stderr.write(`walk: ${String(error)}\n`);
  });
}

export async function cleanUp(folder: string, fuse: string): Promise<void> {
  endNodes(folder);
  // Whatever a dying node or its helper mounts meanwhile is found by the next turn.
  for (let turn = 0; turn < 3; turn += 1) {
    for (const { point } of mounts().toReversed()) {
      if (!point.startsWith(`${folder}/`)) continue;
      await ask("fsfreeze", "--unfreeze", point).catch(() => "it was not frozen");
      await trying(ask("umount", "--lazy", "--", point));
    }
    for (const name of ownLoops(fuse)) {
      await ask("partx", "--delete", `/dev/${name}`).catch(() => "it has no partitions");
      await ask("losetup", "--detach", `/dev/${name}`).catch(() => "it has just gone");
    }
    if (ownLoops(fuse).length === 0) break;
    await pause(300);
  }
  await trying(until("the loop devices go", goneLimitMs, () => ownLoops(fuse).length === 0));
  for (const port of ports) await isFree(port);
}

function ownLoops(fuse: string): readonly string[] {
  return [...loops()].filter(([, file]) => file.startsWith(`${fuse}/`)).map(([name]) => name);
}

if (import.meta.main) {
  const [folder = "", fuse = ""] = process.argv.slice(2);
  if (folder.includes("cairn-walk-") && fuse.includes("cairn-fuse-")) {
    await cleanUp(folder, fuse);
    rmSync(folder, { recursive: true, force: true });
  }
}
