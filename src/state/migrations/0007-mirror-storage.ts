/** What the second half of a mirror remembers (`storage.layout`): the tables of a storage once more. */
import type { Migration } from "#state/migrate.ts";

export const mirrorStorage: Migration = {
  number: 7,
  name: "mirror-storage",
  sql: `
    CREATE TABLE mirror_membership (
      singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
      join_time INTEGER NOT NULL,
      sync_settled INTEGER NOT NULL,
      sync_source TEXT,
      sync_until INTEGER NOT NULL,
      filled INTEGER NOT NULL DEFAULT 0,
      own_addresses TEXT NOT NULL DEFAULT ''
    ) STRICT;

    CREATE TABLE mirror_counts (
      kind TEXT PRIMARY KEY,
      total INTEGER NOT NULL,
      success INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mirror_peers (
      id TEXT PRIMARY KEY,
      addresses TEXT NOT NULL,
      former_addresses TEXT NOT NULL,
      port INTEGER NOT NULL,
      status INTEGER NOT NULL,
      cairn INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mirror_held (
      source TEXT PRIMARY KEY,
      held_until INTEGER NOT NULL,
      gaps INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mirror_paths (
      store_path INTEGER PRIMARY KEY,
      id TEXT,
      own_mount INTEGER NOT NULL,
      candidate TEXT NOT NULL
    ) STRICT;
  `,
};
