/**
 * Opens a binlog that a C storage has compressed (protocol §5.2): expanded beside, in steps, so that whoever waits for the thread waits for
 * one of them only, and without a name that could stay behind. Worker thread.
 */
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** C begins a new file at 1 GiB. What expands to more is no binlog, and not worth the room. */
const maxExpandedBytes = 2 * 1024 ** 3;
/** The file is what it is: no disk fails here. */
const unfitCodes: readonly string[] = ["EINVAL", "EFBIG"];

/** `temporary`: what the names of temporary files begin with. Throws `FileError`. */
export function* openExpanded(
  files: Files,
  path: string,
  temporary: string,
): Generator<undefined, FileDescriptor> {
  const to = unusedName(files, temporary);
  const expansion = files.expand(path, to, maxExpandedBytes);
  try {
    while (!expansion.step()) yield undefined;
    return files.open(to, "read");
  } catch (error) {
    if (!(error instanceof FileError) || !unfitCodes.includes(error.code)) throw error;
    const todo = "put a good copy in its place, or take it away: then its records are passed over";
    throw new FileError(error.code, `${error.message}; ${todo}`, path);
  } finally {
    expansion.stop();
    // The descriptor keeps the content, and whatever ends the process drops it.
    files.remove(to);
  }
}

/** Several may be expanding at once. */
function unusedName(files: Files, temporary: string): string {
  for (let number = 0; ; number += 1) {
    const name = `${temporary}.${number}`;
    if (files.stat(name, false) === undefined) return name;
  }
}
