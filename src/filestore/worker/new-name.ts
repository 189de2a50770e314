/**
 * Names of new files (protocol §3.3, §3.9). Two files never get the same one: besides time, size, content and 30 random bits
 * the name must be free on the disk and among the changes under way, whatever the clock did. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { DirectoryNumber } from "#filestore/worker/directory-tree.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { maxNameAttempts } from "#filestore/worker/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { makeBase, makeTail, randomBitsLimit, randomDigitsLimit } from "#model/file-base.ts";

export interface NameRequest {
  readonly kind: "normal" | "appender";
  readonly extension: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly size: number;
  readonly crc32: number;
}

/** A free place, locked until the file stands or is given up. Its directory is there. Throws `FileError`, `AppError`. */
export function claimNewPlace(store: StorePath, request: NameRequest): FilePlace {
  const place = findFree(store, request.timestamp, () => {
    const tail = makeTail(request.extension, store.random.below(randomDigitsLimit));
    const base = baseFor(store, request, tail);
    const { high, low } = store.directories.choose(base);
    return store.layout.placeOf({ high, low, base });
  });
  store.tree.ensure(place);
  store.locks.add(lockKey(place.name));
  store.directories.advance();
  return place;
}

/** A free name in `directory` that ends with `tail`. Throws `FileError`, `AppError`. */
export function findNameFor(
  store: StorePath,
  request: Omit<NameRequest, "extension">,
  keep: { readonly directory: DirectoryNumber; readonly tail: string },
): FilePlace {
  const { high, low } = keep.directory;
  return findFree(store, request.timestamp, () =>
    store.layout.placeOf({ high, low, base: baseFor(store, request, keep.tail) }),
  );
}

function baseFor(store: StorePath, request: Omit<NameRequest, "extension">, tail: string): string {
  const { kind, timestamp, size, crc32 } = request;
  const randomBits = store.random.below(randomBitsLimit);
  const { source } = store;
  return makeBase({ source, kind, timestamp, size, crc32, randomBits, tail });
}

function findFree(store: StorePath, timestamp: number, propose: () => FilePlace): FilePlace {
  for (let attempt = 0; attempt < maxNameAttempts; attempt += 1) {
    const place = propose();
    if (store.locks.has(lockKey(place.name))) continue;
    if (store.issued.give(place.base, timestamp)) return place;
    if (store.files.stat(place.path, false) === undefined) return place;
  }
  throw fileStoreError("file-exists", `no free name was found in ${maxNameAttempts} attempts`);
}
