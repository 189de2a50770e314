/** `cairn disk replace`: a new disk in the place of one that is gone, or is still there and is to go. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { factsOf, followed, giveDisk, requireGivable } from "#cli/commands/disk-add.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { prepareDisk } from "#control/operations/disk-giving.ts";
import { planRetire, retireDisk } from "#control/operations/disk-moves.ts";

export const diskReplaceCommand: Command = {
  name: "disk replace",
  summary: "put a new disk in the place of another one",
  description: [
    "Where the old disk is gone, its store paths are made anew on the new one and filled from other storages of the group; the old one is not served again. Where it is still there, the new one is given to the node, and the store paths of the old one are copied to it while they are served, as cairn disk retire does.",
    "Everything that was on the new disk is lost: it is named as for cairn disk add.",
  ],
  positionals: [
    { name: "OLD", says: "its name, serial or id; the id of one that is gone", required: true },
    { name: "DEVICE", says: "the new one, as cairn disks names it, such as sdc", required: true },
  ],
  options: [
    { name: "model", value: "TEXT", says: "the model of the new one, exactly as shown" },
    { name: "serial", value: "TEXT", says: "its serial, exactly as shown" },
    { name: "size", value: "BYTES", says: "its size in bytes" },
    {
      name: "file-system",
      value: "TYPE",
      says: "ext4, xfs or btrfs; else ext4",
      complete: ["ext4", "xfs", "btrfs"],
    },
  ],
  shared: ["json", "yes", "config", "socket"],
  examples: [{ line: "cairn disk replace 4f1c sdc", says: "shows what is on sdc, and asks" }],
  run: async (context) => {
    const { output, signal } = context;
    const old = context.positional(0);
    const disk = context.positional(1).replace(/^\/dev\//, "");
    const client = context.controlClient();
    const found = await client.ask(prepareDisk, { disk }, signal);
    if (!output.json) await output.lines(factsOf(found));
    requireGivable(found);
    const gone = found.lost.filter((each) => old.length >= 4 && each.disk.startsWith(old));
    if (gone.length > 1) throw new AppError("no-disk", `several disks are called ${old}`);
    // Else it must be there: that is known before anything is written.
    if (gone.length === 0)
      await client.ask(planRetire, { disk: old, to: old }, signal).catch(refuseUnknown);
    const storePaths = gone[0]?.storePaths ?? [];
    const diskId = await giveDisk(context, { found, storePaths });
    if (diskId === undefined) return exitCodes.failure.code;
    const failed = await followed(context, diskId);
    if (failed !== undefined || gone.length > 0) return failed;
    return await retireTo(context, old, diskId);
  },
};

/** Whatever else stands against it now is another matter once the new disk is there. */
function refuseUnknown(error: unknown): void {
  if (error instanceof AppError && error.code === "no-room") return;
  throw error;
}

async function retireTo(context: CommandContext, old: string, to: string): Promise<undefined> {
  const { output, signal } = context;
  const client = context.controlClient();
  const { disk, name, moves } = await client.ask(planRetire, { disk: old, to }, signal);
  const agreed = moves.map((move) => ({ storePath: move.storePath, to: move.to }));
  await client.ask(retireDisk, { disk, to, moves: agreed }, signal);
  if (!output.json) {
    await output.lines([`${name} is retired: cairn disk moves tells how far it is`]);
  }
  return undefined;
}
