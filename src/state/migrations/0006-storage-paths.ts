/**
 * Which store paths a node has, so that an empty disk in the place of one that had files is known (`filestore/worker/path-identity.ts`), and
 * which id the next disk gets that carries none: the same until it is known, whatever kills come in between.
 */
import type { Migration } from "#state/migrate.ts";

export const storagePaths: Migration = {
  number: 6,
  name: "storage-paths",
  sql: `
    CREATE TABLE storage_paths (
      store_path INTEGER PRIMARY KEY,
      id TEXT,
      own_mount INTEGER NOT NULL,
      candidate TEXT NOT NULL
    ) STRICT;
  `,
};
