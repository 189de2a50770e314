/** What a tracker remembers: groups, their storages, how far each has synced, and the changelog. */
import type { Migration } from "#state/migrate.ts";

export const trackerTables: Migration = {
  number: 1,
  name: "tracker-tables",
  sql: `
    CREATE TABLE tracker_groups (
      name TEXT PRIMARY KEY,
      storage_port INTEGER NOT NULL,
      store_path_count INTEGER NOT NULL,
      subdir_count INTEGER NOT NULL,
      current_trunk_file_id INTEGER NOT NULL,
      trunk_server TEXT,
      last_trunk_server TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tracker_storages (
      group_name TEXT NOT NULL,
      id TEXT NOT NULL,
      join_order INTEGER NOT NULL,
      addresses TEXT NOT NULL,
      port INTEGER NOT NULL,
      status INTEGER NOT NULL,
      version TEXT NOT NULL,
      join_time INTEGER NOT NULL,
      upload_priority INTEGER NOT NULL,
      store_path_count INTEGER NOT NULL,
      subdir_count INTEGER NOT NULL,
      sync_source TEXT,
      sync_until INTEGER NOT NULL,
      changelog_offset INTEGER NOT NULL,
      total_mb INTEGER NOT NULL,
      free_mb INTEGER NOT NULL,
      store_paths TEXT NOT NULL,
      statistics BLOB NOT NULL,
      PRIMARY KEY (group_name, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tracker_sync_times (
      group_name TEXT NOT NULL,
      source TEXT NOT NULL,
      destination TEXT NOT NULL,
      timestamp INTEGER NOT NULL,
      PRIMARY KEY (group_name, source, destination)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tracker_changelog (
      position INTEGER PRIMARY KEY,
      line TEXT NOT NULL
    ) STRICT;

    CREATE TABLE tracker_times (
      name TEXT PRIMARY KEY,
      seconds INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
