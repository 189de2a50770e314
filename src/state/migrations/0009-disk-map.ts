/**
 * The disks that were given to this node, which store paths lie on each (`disks/disk-map.ts`), and how often the state was copied to them.
 */
import type { Migration } from "#state/migrate.ts";

export const diskMap: Migration = {
  number: 9,
  name: "disk-map",
  sql: `
    CREATE TABLE disks (
      disk TEXT PRIMARY KEY,
      role TEXT NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE disk_paths (
      disk TEXT NOT NULL,
      store_path INTEGER NOT NULL,
      id TEXT,
      directory TEXT NOT NULL,
      PRIMARY KEY (disk, store_path)
    ) STRICT;
    CREATE TABLE state_copies (sequence INTEGER NOT NULL) STRICT;
    INSERT INTO state_copies (sequence) VALUES (0);
  `,
};
