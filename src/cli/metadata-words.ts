/** Metadata as people write it at the command line. Pure. */
import { usageError } from "#cli/parse-arguments.ts";
import type { MetadataEntry } from "#model/file-metadata.ts";

/** From `NAME=VALUE` words; the value may have `=` in it, and be empty. Throws `usage`. */
export function parseMetadataWords(words: readonly string[]): readonly MetadataEntry[] {
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw usageError(`"${word}" is no metadata: write NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}
