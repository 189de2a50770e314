/** `cairn regenerate`: makes a normal file of an appender file. */
import type { Command } from "#cli/command.ts";

export const regenerateCommand: Command = {
  name: "regenerate",
  summary: "make a normal file of an appender file and print its new id",
  description: [
    "The storage reads the file for its CRC-32, and gives it a new name that tells size and CRC-32. The old id is gone, and its metadata with it. Needs FastDFS 6.02 or later.",
  ],
  positionals: [{ name: "FILE-ID", says: "the appender file", required: true }],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn regenerate group1/M00/…log", says: "prints the new id" }],
  run: async (context) => {
    const { output, signal } = context;
    const before = context.positional(0);
    const fileId = await context.client().regenerate(before, { signal });
    if (output.json) await output.value({ before, fileId });
    else await output.lines([fileId]);
    return undefined;
  },
};
