/**
 * What each disk told of its health last, since one that sleeps is not woken to tell it again, with how it grew and what was thought of it;
 * and in which way each kind of USB bridge lets its disk be asked.
 */
import type { Migration } from "#state/migrate.ts";

export const diskHealth: Migration = {
  number: 10,
  name: "disk-health",
  sql: `
    CREATE TABLE disk_bridges (
      bridge TEXT PRIMARY KEY,
      type TEXT,
      hung TEXT NOT NULL,
      tried_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE disk_health (
      disk TEXT PRIMARY KEY,
      seen_at INTEGER NOT NULL,
      smart_at INTEGER,
      smart TEXT,
      samples TEXT NOT NULL,
      judgement TEXT NOT NULL,
      short_test_at INTEGER,
      long_test_at INTEGER
    ) STRICT;
  `,
};
