/** `cairn import`: the child of the daemon that reads a foreign disk. Not for people: it speaks JSON with the daemon over its streams. */
import type { Command } from "#cli/command.ts";

export const importCommand: Command = {
  name: "import",
  summary: "read a foreign disk for the daemon, which starts this by itself",
  description: ["To import the files of a disk use cairn disk import."],
  positionals: [],
  options: [],
  shared: [],
  examples: [],
  handlesInterrupts: true,
  run: (context) => context.parts.importFiles(),
};
