/** Which storages are of our own kind, so that a tracker that restarts does not take one that is away for a C storage. */
import type { Migration } from "#state/migrate.ts";

export const storageDialect: Migration = {
  number: 3,
  name: "storage-dialect",
  sql: "ALTER TABLE tracker_storages ADD COLUMN speaks_cairn INTEGER NOT NULL DEFAULT 0;",
};
