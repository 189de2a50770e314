/** What a storage remembers: its membership, and what it has counted. */
import type { Migration } from "#state/migrate.ts";

export const storageTables: Migration = {
  number: 2,
  name: "storage-tables",
  sql: `
    CREATE TABLE storage_membership (
      singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
      join_time INTEGER NOT NULL,
      sync_settled INTEGER NOT NULL,
      sync_source TEXT,
      sync_until INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE storage_counts (
      kind TEXT PRIMARY KEY,
      total INTEGER NOT NULL,
      success INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
