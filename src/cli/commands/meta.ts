/** `cairn meta get`, `set`, `merge`, `clear`: metadata of a file. */
import { AppError } from "#base/app-error.ts";
import type { Command, PositionalSpec } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { parseMetadataWords } from "#cli/metadata-words.ts";
import { printable } from "#cli/output.ts";

const fileId: PositionalSpec = { name: "FILE-ID", says: "the file", required: true };
const entries: PositionalSpec = {
  name: "NAME=VALUE",
  says: "names of at most 64 bytes, values of at most 256; longer ones are cut by the storage",
  required: true,
  repeatable: true,
};

export const metaGetCommand: Command = {
  name: "meta get",
  summary: "print the metadata of a file",
  description: [
    "Prints NAME=VALUE lines, sorted by name. A file without metadata and a file that is not there look the same to FastDFS; both give exit code 66.",
  ],
  positionals: [fileId],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn meta get group1/M00/00/00/….jpg", says: "prints author=me" }],
  run: async (context) => {
    const { output, signal } = context;
    const id = context.positional(0);
    const found = await context.client().getMetadata(id, { signal });
    if (found === undefined) {
      throw new AppError("file-missing", `${id} has no metadata, or is not there (see cairn info)`);
    }
    if (output.json) await output.value({ fileId: id, metadata: Object.fromEntries(found) });
    else await output.lines(found.map(([name, value]) => printable(`${name}=${value}`)));
    return undefined;
  },
};

export const metaSetCommand: Command = {
  name: "meta set",
  summary: "replace the metadata of a file",
  description: ["What the file had before is gone; cairn meta merge keeps it."],
  positionals: [fileId, entries],
  options: [],
  shared: ["tracker", "config"],
  examples: [{ line: "cairn meta set group1/M00/…jpg author=me", says: "now it has one entry" }],
  run: (context) => write(context, "overwrite"),
};

export const metaMergeCommand: Command = {
  name: "meta merge",
  summary: "add to the metadata of a file",
  description: ["Names that the file has already get the new value, others stay."],
  positionals: [fileId, entries],
  options: [],
  shared: ["tracker", "config"],
  examples: [{ line: "cairn meta merge group1/M00/…jpg place=home", says: "one entry more" }],
  run: (context) => write(context, "merge"),
};

export const metaClearCommand: Command = {
  name: "meta clear",
  summary: "remove the metadata of a file",
  description: ["Asks first on a terminal; elsewhere --yes is needed."],
  positionals: [fileId],
  options: [],
  shared: ["yes", "tracker", "config"],
  examples: [{ line: "cairn meta clear --yes group1/M00/…jpg", says: "the file itself stays" }],
  run: async (context) => {
    const id = context.positional(0);
    if (!(await context.confirm(`Remove all metadata of ${id}?`))) return exitCodes.failure.code;
    await context.client().setMetadata(id, [], { signal: context.signal });
    return undefined;
  },
};

async function write(context: CommandContext, mode: "overwrite" | "merge"): Promise<undefined> {
  const list = parseMetadataWords(context.arguments.positionals.slice(1));
  const { signal } = context;
  await context.client().setMetadata(context.positional(0), list, { mode, signal });
}
