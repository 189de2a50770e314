/**
 * Standard input as content of known length, which the protocol wants in advance: little is kept in memory, more in a file
 * without a name that vanishes with the process.
 */
import { contentOfReadable, type RepeatableContent } from "#client/content.ts";
import type { LocalFile, LocalFiles } from "#platform/local-files.ts";
import type { Terminal } from "#platform/terminal.ts";

/** Up to so many bytes stay in memory. */
export const maxSpooledInMemory = 8 * 1024 * 1024;

export interface Spooled extends AsyncDisposable {
  readonly content: RepeatableContent;
}

/** Reads standard input to its end. */
export async function spoolInput(
  world: { readonly terminal: Terminal; readonly files: LocalFiles },
  signal: AbortSignal,
): Promise<Spooled> {
  const kept: Buffer[] = [];
  let length = 0;
  let file: LocalFile | undefined;
  try {
    for await (const chunk of world.terminal.readInput()) {
      signal.throwIfAborted();
      if (file === undefined && length + chunk.length > maxSpooledInMemory) {
        file = await world.files.openTemporary();
        await file.write(Buffer.concat(kept.splice(0)), 0);
      }
      if (file === undefined) kept.push(Buffer.from(chunk));
      else await file.write(chunk, length);
      length += chunk.length;
    }
    signal.throwIfAborted();
  } catch (error) {
    await file?.close();
    throw error;
  }
  const readable = file ?? readableOf(Buffer.concat(kept));
  return {
    content: contentOfReadable(readable, length),
    [Symbol.asyncDispose]: async () => {
      await file?.close();
    },
  };
}

function readableOf(bytes: Buffer): Pick<LocalFile, "read"> {
  return {
    read: async (target, position) => {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}
