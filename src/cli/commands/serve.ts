/** `cairn serve`: the daemon itself, which the command line only starts. */
import type { Command } from "#cli/command.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "run a node: tracker, storage and HTTP gateway",
  description: [
    "Runs in the foreground until SIGTERM or Ctrl-C, which lets uploads and downloads under way end; a second one ends it at once. SIGHUP reads the settings again. Without settings it runs a whole node with its data in ./data.",
    "Exit codes are sysexits: 69 an address is in use, 73 a file cannot be made, 74 a disk failed, 77 not permitted, 78 the settings are not valid.",
  ],
  positionals: [],
  options: [],
  shared: ["config", "set"],
  examples: [
    { line: "cairn serve", says: "a whole node" },
    { line: "cairn serve --set storage.group=group2", says: "with one setting for this run" },
  ],
  handlesInterrupts: true,
  run: (context) => context.parts.serve(context.configRequest),
};
