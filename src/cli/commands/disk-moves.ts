/**
 * `cairn disk retire`, `drain`, `undrain`, `moves` and `cairn disks rebalance`: store paths on other disks of the node, without any file id
 * changing.
 */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import { readableSize } from "#cli/render/units.ts";
import {
  changeMove,
  drainDisk,
  listMoves,
  planRebalance,
  planRetire,
  rebalanceDisks,
  retireDisk,
  type ToldMove,
  type ToldPlan,
} from "#control/operations/disk-moves.ts";

const disk = {
  name: "DISK",
  says: "its name, serial or id, as cairn disks shows it",
  required: true,
} as const;
const askFirst = "Asks first on a terminal; elsewhere --yes is needed.";

export const diskRetireCommand: Command = {
  name: "disk retire",
  summary: "take a disk out of the node; its files go to the other disks",
  description: [
    "Shows where its store paths would go, and says how much room is missing where there is none. Then nothing new is stored on the disk, and its store paths are copied to the other disks while they are served; each is away for a moment at the end, in which other storages of the group have its files. No file id changes.",
    `It goes on by itself after a restart; cairn disk moves tells how far it is. At the end cairn disks says that the disk is retired: it may be unplugged then, and what was on it stays on it until somebody wipes it. ${askFirst}`,
  ],
  positionals: [disk],
  options: [],
  shared: ["json", "yes", "config", "socket"],
  examples: [{ line: "cairn disk retire sdb", says: "shows what would go where, and asks" }],
  run: async (context) => {
    const { output, signal } = context;
    const client = context.controlClient();
    const plan = await client.ask(planRetire, { disk: context.positional(0) }, signal);
    if (!output.json) await output.lines(planLines(plan.moves, `${plan.name} carries nothing`));
    if (!(await context.confirm(`Retire ${plan.name}?`))) return exitCodes.failure.code;
    await client.ask(retireDisk, { disk: plan.disk, moves: agreed(plan.moves) }, signal);
    if (output.json) await output.value(plan);
    else await output.lines(["it has begun: cairn disk moves tells how far it is"]);
    return undefined;
  },
};

export const diskDrainCommand: Command = {
  name: "disk drain",
  summary: "store no new files on a disk",
  description: [
    "Everything else of it goes on: its files are served, changed, deleted, and had from other storages. It lasts until cairn disk undrain, also over restarts.",
  ],
  positionals: [disk],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk drain sdb", says: "new files go to the other disks" }],
  run: (context) => drain(context, true),
};

export const diskUndrainCommand: Command = {
  name: "disk undrain",
  summary: "store new files on a disk again",
  description: ["Ends what cairn disk drain or cairn disk retire began."],
  positionals: [disk],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk undrain sdb", says: "it takes new files again" }],
  run: (context) => drain(context, false),
};

export const disksRebalanceCommand: Command = {
  name: "disks rebalance",
  summary: "spread store paths over disks that carry fewer",
  description: [
    `Shows which store paths would go from disks that carry several to emptier ones, such as to one that was added. No file id changes. ${askFirst}`,
  ],
  positionals: [],
  options: [],
  shared: ["json", "yes", "config", "socket"],
  examples: [{ line: "cairn disks rebalance", says: "shows what would go where, and asks" }],
  run: async (context) => {
    const { output, signal } = context;
    const client = context.controlClient();
    const { moves } = await client.ask(planRebalance, {}, signal);
    if (moves.length === 0) {
      if (output.json) await output.value({ moves });
      else await output.lines([nothingToMove]);
      return undefined;
    }
    if (!output.json) await output.lines(planLines(moves, nothingToMove));
    if (!(await context.confirm("Move them?"))) return exitCodes.failure.code;
    await client.ask(rebalanceDisks, { moves: agreed(moves) }, signal);
    if (output.json) await output.value({ moves });
    else await output.lines(["it has begun: cairn disk moves tells how far it is"]);
    return undefined;
  },
};

export const diskMovesCommand: Command = {
  name: "disk moves",
  summary: "show store paths that are on their way to another disk",
  description: [
    "A line for each, with how far it is and why it does not go on. --cancel calls one off, as long as the other disk has not got it. --leave-unreadable has one go on without the files that its disk does not give and that no other storage has; they are named here.",
  ],
  positionals: [],
  options: [
    { name: "cancel", value: "PATH", says: "the store path, such as M01" },
    { name: "leave-unreadable", value: "PATH", says: "the store path, such as M01" },
  ],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk moves", says: "how far they are" }],
  run: async (context) => {
    const { output, signal } = context;
    const client = context.controlClient();
    for (const action of ["cancel", "leave-unreadable"] as const) {
      const path = context.arguments.value(action);
      if (path === undefined) continue;
      await client.ask(changeMove, { storePath: pathOf(path), action }, signal);
    }
    const { moves } = await client.ask(listMoves, {}, signal);
    if (output.json) await output.value({ moves });
    else await output.lines(moveLines(moves));
    return undefined;
  },
};

const nothingToMove = "nothing to move: new files go to the emptiest disk by themselves";

async function drain(context: CommandContext, isDrained: boolean): Promise<undefined> {
  const { output, signal } = context;
  const input = { disk: context.positional(0), drain: isDrained };
  const drained = await context.controlClient().ask(drainDisk, input, signal);
  if (output.json) await output.value(drained);
  else {
    const does = isDrained ? "takes no new files" : "takes new files again";
    await output.lines([`${drained.name} ${does}`]);
  }
  return undefined;
}

function agreed(moves: ToldPlan) {
  return moves.map(({ storePath, to }) => ({ storePath, to }));
}

function planLines(moves: ToldPlan, nothing: string): readonly string[] {
  if (moves.length === 0) return [nothing];
  return renderTable(moves, [
    { heading: "STORE PATH", text: ({ storePath }) => pathName(storePath) },
    { heading: "SIZE", text: ({ bytes }) => readableSize(bytes), right: true },
    { heading: "FROM", text: ({ fromName }) => fromName },
    { heading: "TO", text: ({ toName }) => toName },
  ]);
}

const moveColumns: readonly Column<ToldMove>[] = [
  { heading: "STORE PATH", text: ({ storePath }) => pathName(storePath) },
  { heading: "FROM", text: ({ from }) => from.slice(0, 8) },
  { heading: "TO", text: ({ to }) => to.slice(0, 8) },
  { heading: "STATE", text: ({ phase }) => phase },
  {
    heading: "FILES",
    text: ({ files }) => (files === undefined ? "-" : String(files)),
    right: true,
  },
  { heading: "SEEN", text: ({ bytes }) => sizeOr(bytes), right: true },
  { heading: "COPIED", text: ({ copiedBytes }) => sizeOr(copiedBytes), right: true },
  { heading: "", text: ({ problem }) => problem ?? "" },
];

function moveLines(moves: readonly ToldMove[]): readonly string[] {
  if (moves.length === 0) return ["no store path was ever moved"];
  const lines = [...renderTable(moves, moveColumns)];
  for (const { storePath, unreadable } of moves) {
    if (unreadable.length === 0) continue;
    lines.push("", `${pathName(storePath)}: files without a good copy`);
    lines.push(...unreadable.map((place) => `  ${place}`));
  }
  return lines;
}

function sizeOr(bytes: number | undefined): string {
  return bytes === undefined ? "-" : readableSize(bytes);
}

function pathName(index: number): string {
  return `M${index.toString(16).toUpperCase().padStart(2, "0")}`;
}

function pathOf(text: string): number {
  const digits = /^M?([0-9A-F]{2})$/i.exec(text)?.[1];
  if (digits === undefined) throw usageError(`"${text}" is no store path, such as M01`);
  return Number.parseInt(digits, 16);
}
