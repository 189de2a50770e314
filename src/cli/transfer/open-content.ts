/** What a command is to send: a file by its path, or standard input as `-`. */
import { AppError } from "#base/app-error.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { type Spooled, spoolInput } from "#cli/transfer/spool.ts";
import { contentOfReadable } from "#client/content.ts";
import { FileError } from "#platform/files.ts";

/** Rejects with `FileError`, or `usage` for what is no ordinary file. */
export async function openContent(context: CommandContext, source: string): Promise<Spooled> {
  const { files, terminal } = context.world;
  if (source === "-") return await spoolInput({ files, terminal }, context.signal);
  const path = context.path(source);
  const file = await files.open(path, "read");
  try {
    const { kind, sizeBytes } = await file.stat();
    if (kind === "directory") throw new FileError("EISDIR", `${source} is a directory`, path);
    if (kind !== "file") {
      throw new AppError("usage", `${source} is no ordinary file: send it through a pipe, as -`);
    }
    return {
      content: contentOfReadable(file, sizeBytes),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
