/** Where the files of a store path lie that nobody serves, such as one on a disk of an old server. */
import { fileStoreError } from "#filestore/errors.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import type { Files } from "#platform/files.ts";

/** `directory`: a store path, or its `data`. Throws `store-path-unfit` where it is neither, and `FileError`. */
export function dataOf(files: Files, directory: string): string {
  const path = directory.replace(/(?<=.)\/+$/, "");
  for (const data of [`${path}/data`, path]) {
    if (directoryNumbers(files, data).length > 0) return data;
  }
  throw fileStoreError(
    "store-path-unfit",
    `${directory} is no store path: there are no directories 00 to FF in it, or in data below it`,
  );
}
