/** `cairn disk import` and `cairn disk imports`: the files of a foreign disk are stored in this node's group. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { renderTable } from "#cli/render/table.ts";
import { readableSize } from "#cli/render/units.ts";
import { importDisk, listImports, type ShownImport } from "#control/operations/disk-imports.ts";
import { delay } from "#platform/clock.ts";

const askPeriodMs = 500;

export const diskImportCommand: Command = {
  name: "disk import",
  summary: "store the files of a foreign disk in this node's group",
  description: [
    "For a disk of another node or group, and for one that an old FastDFS server has left: each file is read, compared with what its name says, and stored here, with metadata; slaves and appender files stay what they are. The disk is never written to. A list says which id each file has now, and which files could not be had.",
    "DISK is an id that cairn disk found shows, or a directory: a store path of FastDFS that is mounted on this machine, best read-only, and that the daemon may read. What was interrupted goes on with the same command, and by itself after a restart; nothing is stored twice.",
  ],
  positionals: [{ name: "DISK", says: "its id, or a directory", required: true }],
  options: [
    {
      name: "group",
      short: "g",
      value: "GROUP",
      says: "of a directory: the group of its files, for the list",
    },
    {
      name: "store-path",
      value: "N",
      says: "of a directory: the number of its store path; else 0",
    },
    { name: "detach", says: "do not wait for its end" },
  ],
  shared: ["json", "yes", "config", "socket"],
  examples: [
    { line: "cairn disk import 4f1c…", says: "asks first, and shows how far it is" },
    { line: "cairn disk import /mnt/old/store0 --group group3", says: "an old server's disk" },
  ],
  run: async (context) => {
    const { signal, arguments: given, output } = context;
    const disk = context.positional(0);
    if (!(await context.confirm(`Store the files of ${disk} in this node's group?`))) {
      return exitCodes.failure.code;
    }
    const from = /^[0-9a-f]{32}$/.test(disk)
      ? { disk }
      : {
          directory: context.path(disk),
          group: given.value("group"),
          storePath: numberOf(given.value("store-path")),
        };
    const { id } = await context.controlClient().ask(importDisk, from, signal);
    if (given.has("detach")) {
      if (output.json) await output.value({ id });
      else await output.lines([`it goes on by itself: cairn disk imports`]);
      return undefined;
    }
    return await followed(context, id);
  },
};

export const diskImportsCommand: Command = {
  name: "disk imports",
  summary: "show how far imports of foreign disks are",
  description: ["A line for each, with the lists of old and new ids."],
  positionals: [],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk imports", says: "a line for each" }],
  run: async (context) => {
    const { output } = context;
    const found = await context.controlClient().ask(listImports, {}, context.signal);
    if (output.json) await output.value(found);
    else await output.lines(importLines(found.imports));
    return undefined;
  },
};

async function followed(context: CommandContext, id: string): Promise<number | undefined> {
  const { world, output, signal } = context;
  const client = context.controlClient();
  for (;;) {
    const { imports } = await client.ask(listImports, {}, signal);
    const found = imports.find((each) => each.id === id);
    if (found === undefined) throw new AppError("not-found", `the node has forgotten ${id}`);
    if (found.state === "done" || found.state === "failed") {
      if (output.showsProgress) world.terminal.writeError("\r\u001b[K");
      if (output.json) await output.value(found);
      else await output.lines(endLines(found));
      if (found.state === "failed") return exitCodes.failure.code;
      return found.left > 0 ? exitCodes.data.code : undefined;
    }
    if (output.showsProgress) world.terminal.writeError(`\r\u001b[K${countWords(found)}`);
    await delay(world.clock, askPeriodMs, signal);
  }
}

function countWords({ files, bytes, left }: ShownImport): string {
  const leftWords = left === 0 ? "" : `, ${left} not to be had`;
  return `${files} files, ${readableSize(bytes)}${leftWords}`;
}

function endLines(found: ShownImport): readonly string[] {
  const { state, problem, leftNames, left, lists } = found;
  const more = left - leftNames.length;
  return [
    state === "failed"
      ? `interrupted: ${problem ?? ""}; the same command goes on`
      : "all is stored",
    countWords(found),
    ...leftNames.map((each) => `  ${each}`),
    ...(more > 0 ? [`  … and ${more} more in the list`] : []),
    ...lists.map((each) => `old and new ids: ${each}`),
  ];
}

function importLines(imports: readonly ShownImport[]): readonly string[] {
  if (imports.length === 0) return ["nothing was imported"];
  return renderTable(imports, [
    { heading: "FROM", text: ({ from }) => from },
    { heading: "STATE", text: ({ state }) => state },
    { heading: "FILES", text: ({ files }) => String(files) },
    { heading: "NOT TO BE HAD", text: ({ left }) => String(left) },
    { heading: "LIST", text: ({ lists }) => lists.join(" ") },
    { heading: "", text: ({ problem }) => problem ?? "" },
  ]);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) {
    throw usageError(`--store-path takes a number from 0 to 255, not "${text}"`);
  }
  return Number(text);
}
