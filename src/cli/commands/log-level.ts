/** `cairn log-level`: how much the running daemon logs. */
import type { Command } from "#cli/command.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { setLogLevel } from "#control/operations/system.ts";

const levels = ["error", "warn", "notice", "info", "debug"] as const;

export const logLevelCommand: Command = {
  name: "log-level",
  summary: "change how much the running daemon logs",
  description: [
    "Until the daemon starts again or reads its settings again; node.log_level in the settings is for good.",
  ],
  positionals: [{ name: "LEVEL", says: levels.join(", "), required: true, complete: levels }],
  options: [],
  shared: ["config", "socket"],
  examples: [{ line: "cairn log-level debug", says: "while looking for something" }],
  run: async (context) => {
    const typed = context.positional(0);
    const level = levels.find((one) => one === typed);
    if (level === undefined) throw usageError(`"${typed}" is no level: ${levels.join(", ")}`);
    const { before } = await context.controlClient().ask(setLogLevel, { level }, context.signal);
    context.output.note(`the log level was ${before} and is ${level}`);
    return undefined;
  },
};
