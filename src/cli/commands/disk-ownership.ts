/** `cairn disk found`, `cairn disk adopt` and `cairn disk restore`: whose the disks are, and taking them over. */
import type { Command } from "#cli/command.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { renderTable } from "#cli/render/table.ts";
import {
  adoptDisk,
  type FoundDisks,
  findDisks,
  restoreNode,
} from "#control/operations/disk-ownership.ts";

export const diskFoundCommand: Command = {
  name: "disk found",
  summary: "show whose the disks are that carry a passport",
  description: [
    "Each disk that was given to a Cairn node says on itself whose it is. This lists those that are there: served, waiting for a yes, or refused, with what to do about it.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk found", says: "a line for each" }],
  run: async (context) => {
    const { output } = context;
    const found = await context.controlClient().ask(findDisks, {}, context.signal);
    if (output.json) await output.value(found);
    else await output.lines(foundLines(found));
    return undefined;
  },
};

export const diskAdoptCommand: Command = {
  name: "disk adopt",
  summary: "make a disk of another node one of this node's",
  description: [
    "Its store paths are served here from now on, with all files in them; ids that clients hold stay as they are. The group must be the same, and this node must have no store paths of these numbers. The other node refuses the disk from then on.",
    "Asks first on a terminal; elsewhere --yes is needed.",
  ],
  positionals: [{ name: "DISK", says: "its id, as cairn disk found shows it", required: true }],
  options: [],
  shared: ["json", "yes", "config", "socket"],
  examples: [{ line: "cairn disk adopt 4f1c…", says: "asks first" }],
  run: async (context) => {
    const { output, signal } = context;
    const disk = context.positional(0);
    if (!(await context.confirm(`Make disk ${disk} one of this node's?`))) {
      return exitCodes.failure.code;
    }
    const adopted = await context.controlClient().ask(adoptDisk, { disk }, signal);
    if (output.json) await output.value(adopted);
    else await output.lines([`it serves store path ${adopted.storePaths.join(", ")}`]);
    return undefined;
  },
};

export const diskRestoreCommand: Command = {
  name: "disk restore",
  summary: "become the node whose disks these are, on a new card",
  description: [
    "For a node that has just been set up, with the disks of one that is no more: identity, settings made at run time, marks and store paths come from the newest copy on the disks, and files keep their ids. The node starts anew by itself.",
    "The former node must not run any more: two of the same identity would destroy each other's files. Asks first on a terminal; elsewhere --yes is needed.",
  ],
  positionals: [{ name: "NODE", says: "its id, where there could be a doubt", required: false }],
  options: [],
  shared: ["json", "yes", "config", "socket"],
  examples: [{ line: "cairn disk restore", says: "asks first" }],
  run: async (context) => {
    const { output, signal } = context;
    const client = context.controlClient();
    const [given] = context.arguments.positionals;
    const { former } = await client.ask(findDisks, {}, signal);
    const who = former === undefined ? (given ?? "another one") : `${former.name} (${former.node})`;
    if (!(await context.confirm(`Make this node ${who}, which does not run any more?`))) {
      return exitCodes.failure.code;
    }
    const restored = await client.ask(restoreNode, { node: given }, signal);
    if (output.json) await output.value(restored);
    else await output.lines([`this node is ${restored.node} as soon as it has started anew`]);
    return undefined;
  },
};

function foundLines({ disks, former }: FoundDisks): readonly string[] {
  const lines = renderTable(disks, [
    { heading: "DISK", text: ({ disk }) => disk ?? "-" },
    { heading: "AT", text: ({ name }) => name },
    { heading: "STATE", text: ({ kind }) => kind },
    { heading: "", text: ({ says }) => says },
  ]);
  if (former === undefined) return disks.length === 0 ? ["no disk carries a passport"] : lines;
  const { name, node } = former;
  const offer = `They were those of ${name} (${node}), which this node can be from now on: cairn disk restore`;
  return [...lines, "", offer];
}
