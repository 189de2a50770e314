/** `cairn rm`: deletes files. */
import { hasCode } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { eachItem } from "#cli/each-item.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { knownFile } from "#client/file-names.ts";

export const rmCommand: Command = {
  name: "rm",
  summary: "delete files",
  description: [
    "Deletes each file with its metadata. Slaves of a file are files of their own and stay. Other storages of the group delete it a little later, so that it may be read for some seconds more.",
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
  const { failures, exitCode } = await eachItem(context, fileIds, async (fileId) => {
    try {
      await context.client().remove(fileId, { signal });
      deleted.push(fileId);
    } catch (error) {
      if (!given.has("missing-ok") || !hasCode(error, "file-missing")) throw error;
    }
  });
  if (output.json) await output.value({ deleted, failures });
  return exitCode;
}
