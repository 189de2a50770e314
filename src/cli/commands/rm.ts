/** `cairn rm`: deletes files. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodeOf, exitCodes, jointExitCode } from "#cli/exit-codes.ts";
import { errorValue } from "#cli/output.ts";
import { knownFile } from "#client/file-names.ts";

export const rmCommand: Command = {
  name: "rm",
  summary: "delete files",
  description: [
    "Deletes each file with its metadata. Slaves of a file are files of their own and stay.",
    "Asks first on a terminal; elsewhere --yes is needed. When one of several files fails, the others are deleted nevertheless.",
  ],
  positionals: [{ name: "FILE-ID", says: "the files to delete", required: true, repeatable: true }],
  options: [{ name: "missing-ok", says: "a file that is not there is no failure" }],
  shared: ["json", "yes", "tracker", "config"],
  examples: [{ line: "cairn rm --yes group1/M00/00/00/….jpg", says: "without being asked" }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output, signal, arguments: given } = context;
  const fileIds = given.positionals;
  for (const fileId of fileIds) knownFile(fileId);
  const what = fileIds.length === 1 ? String(fileIds[0]) : `${fileIds.length} files`;
  if (!(await context.confirm(`Delete ${what}?`))) return exitCodes.failure.code;
  const deleted: string[] = [];
  const failures: { fileId: string; code: string; message: string }[] = [];
  const codes: number[] = [];
  for (const fileId of fileIds) {
    try {
      await context.client().remove(fileId, { signal });
      deleted.push(fileId);
    } catch (error) {
      signal.throwIfAborted();
      const value = errorValue(error);
      if (value.code === "file-missing" && given.has("missing-ok")) continue;
      codes.push(exitCodeOf(error));
      failures.push({ fileId, ...value });
      output.error(error);
    }
  }
  if (output.json) await output.value({ deleted, failures });
  return jointExitCode(codes);
}
