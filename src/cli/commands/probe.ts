/** `cairn probe`: the child of the daemon that looks at disks. Not for people: it speaks JSON with the daemon over its streams. */
import type { Command } from "#cli/command.ts";

export const probeCommand: Command = {
  name: "probe",
  summary: "look at disks for the daemon, which starts this by itself",
  description: [
    "Answers the daemon's questions on standard input and output, until that ends. With the name of a package it prints what that says, as JSON. To see the disks use cairn disks.",
  ],
  positionals: [{ name: "PACKAGE", says: "systeminformation or node-disk-info", required: false }],
  options: [],
  shared: [],
  examples: [],
  handlesInterrupts: true,
  run: (context) => context.parts.probe(context.arguments.positionals[0]),
};
