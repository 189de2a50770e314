/** `cairn version`: what this is. */
import type { Command } from "#cli/command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "show the version",
  description: [
    "Of this program and of the runtime below it; cairn status shows that of the daemon.",
  ],
  positionals: [],
  options: [],
  shared: ["json"],
  examples: [],
  run: async (context) => {
    const { output, parts, world } = context;
    const { runtimeVersion, system } = world.machine;
    if (output.json) {
      await output.value({ version: parts.version, runtime: runtimeVersion, system });
    } else {
      await output.lines([`cairn ${parts.version} (Node ${runtimeVersion}, ${system})`]);
    }
    return undefined;
  },
};
