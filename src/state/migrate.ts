/**
 * Brings a database to the newest layout: numbered steps, forward only, each in a transaction of its own. A step must leave
 * the database readable by the release before it, because a rollback of the system brings that release back; hence a database
 * that is ahead of us is fine.
 */
import { AppError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import type { Database } from "#platform/databases.ts";

export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export interface MigrationResult {
  readonly before: number;
  readonly after: number;
}

/** Throws `AppError("migration-failed")`, with everything as it was before the step that failed. */
export function migrate(database: Database, migrations: readonly Migration[]): MigrationResult {
  for (const [index, step] of migrations.entries()) {
    assert(step.number === index + 1, `migration ${step.name} is number ${index + 1}`);
  }
  const before = database.version;
  for (const step of migrations.slice(before)) {
    try {
      database.transaction("flushed", () => {
        database.execute(step.sql);
        database.version = step.number;
      });
    } catch (cause) {
      throw new AppError(
        "migration-failed",
        `the state database cannot be brought to version ${step.number} (${step.name}); restore it from a copy or remove it`,
        { cause },
      );
    }
  }
  return { before, after: Math.max(before, migrations.length) };
}
