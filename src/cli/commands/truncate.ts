/** `cairn truncate`: sets the size of an appender file. */
import { parseByteSize } from "#base/byte-size.ts";
import type { Command } from "#cli/command.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { knownFile } from "#client/file-names.ts";

export const truncateCommand: Command = {
  name: "truncate",
  summary: "set the size of an appender file",
  description: [
    "Bytes past SIZE are gone; a larger SIZE fills with zeros. Asks first on a terminal; elsewhere --yes is needed.",
  ],
  positionals: [
    { name: "FILE-ID", says: "the appender file", required: true },
    { name: "SIZE", says: "in bytes, such as 0, 65536 or 64KiB", required: true },
  ],
  options: [],
  shared: ["yes", "tracker", "config"],
  examples: [{ line: "cairn truncate --yes group1/M00/…log 0", says: "empties it" }],
  run: async (context) => {
    const fileId = context.positional(0);
    knownFile(fileId);
    const text = context.positional(1);
    const size = parseByteSize(text);
    if (size === undefined) throw usageError(`"${text}" is not a size, such as 65536 or 64KiB`);
    if (!(await context.confirm(`Set the size of ${fileId} to ${size} bytes?`))) {
      return exitCodes.failure.code;
    }
    await context.client().truncate(fileId, size, { signal: context.signal });
    return undefined;
  },
};
