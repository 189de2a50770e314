/** `cairn help`: listed with the others; the parser answers it before any command is run. */
import type { Command } from "#cli/command.ts";
import { helpLines } from "#cli/help.ts";

export const helpCommand: Command = {
  name: "help",
  summary: "show help on a command, on exit-codes, or on environment",
  description: ["The same as --help behind a command."],
  positionals: [{ name: "COMMAND", says: "a command or topic", required: false, repeatable: true }],
  options: [],
  shared: [],
  examples: [{ line: "cairn help meta set", says: "on one command" }],
  run: async (context) => {
    const { arguments: given, groups, output } = context;
    await output.lines(helpLines(given.positionals, { groups, style: output.style }));
    return undefined;
  },
};
