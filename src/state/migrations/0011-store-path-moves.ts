/**
 * Store paths on their way from one disk to another (`disks/moves/`), what people want of a disk, and how often each path was moved. An older
 * release knows nothing of it: it serves a path where the passports say that it lies.
 */
import type { Migration } from "#state/migrate.ts";

export const storePathMoves: Migration = {
  number: 11,
  name: "store-path-moves",
  sql: `
    ALTER TABLE disk_paths ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE disk_wishes (
      disk TEXT PRIMARY KEY,
      wish TEXT NOT NULL
    ) STRICT;
    CREATE TABLE store_path_moves (
      store_path INTEGER PRIMARY KEY,
      source TEXT NOT NULL,
      target TEXT NOT NULL,
      purpose TEXT NOT NULL,
      phase TEXT NOT NULL,
      problem TEXT,
      leaves_unreadable INTEGER NOT NULL,
      unreadable TEXT NOT NULL,
      begun_at INTEGER NOT NULL,
      ended_at INTEGER
    ) STRICT;
  `,
};
