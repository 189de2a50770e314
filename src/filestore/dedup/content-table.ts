/**
 * The tables of a store path's `index.sqlite`: where content lies, by its hash. The path's worker owns the database. It can be
 * lost at any time, since everything in it follows from the files; nothing is stored because of it alone.
 */
import type { Database, SqlRow, Statement } from "#platform/databases.ts";
import { type Migration, migrate } from "#state/migrate.ts";

/** A name is `HH/HH/base`: the number of the store path may change. */
export interface ContentRow {
  /** SHA-256 of the content. */
  readonly hash: Uint8Array;
  /** The newest file that holds it. */
  readonly name: string;
  /** One that held it before; empty where there was none. */
  readonly former: string;
  /** Number of the run that wrote the row. */
  readonly run: number;
}

/** In order; what a later one adds, an earlier release must be able to pass over. */
export const contentMigrations: readonly Migration[] = [
  {
    number: 1,
    name: "content",
    sql: `
      CREATE TABLE content (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        former TEXT NOT NULL,
        run INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        last_seconds INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE walk (
        singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
        next_directory INTEGER NOT NULL
      ) STRICT;

      INSERT INTO walk VALUES (1, 0);
    `,
  },
];

export class ContentTable {
  readonly #database: Database;
  readonly #find: Statement<ContentRow & SqlRow>;
  readonly #put: Statement;
  readonly #putRun: Statement;
  readonly #putWalk: Statement;

  private constructor(database: Database) {
    this.#database = database;
    this.#find = database.prepare("SELECT hash, name, former, run FROM content WHERE hash = ?");
    this.#put = database.prepare(
      `INSERT INTO content (hash, name, former, run) VALUES (?, ?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET name = excluded.name, former = excluded.former, run = excluded.run`,
    );
    this.#putRun = database.prepare(
      `INSERT INTO runs (number, last_seconds) VALUES (?, ?)
       ON CONFLICT (number) DO UPDATE SET last_seconds = excluded.last_seconds`,
    );
    this.#putWalk = database.prepare("UPDATE walk SET next_directory = ? WHERE singleton = 1");
  }

  /** Brings the database to the newest layout; it belongs to the table from now on, also where this throws. */
  static open(database: Database): ContentTable {
    try {
      // The path has one owner: locks need not be taken and given back for each statement (measured: 3 of 5 µs).
      database.execute("PRAGMA locking_mode = EXCLUSIVE");
      migrate(database, contentMigrations);
      return new ContentTable(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  find(hash: Uint8Array): ContentRow | undefined {
    return this.#find.get(hash);
  }

  /** All rows, and how far the run and the walk are, or nothing of it. Not flushed: a power cut costs the last ones. */
  write(rows: readonly ContentRow[], progress: ContentProgress): void {
    this.#database.transaction("relaxed", () => {
      for (const { hash, name, former, run } of rows) this.#put.run(hash, name, former, run);
      this.#putRun.run(progress.run, progress.lastSeconds);
      this.#putWalk.run(progress.nextDirectory);
    });
  }

  /** The last time in the names that each run noted, of the newest `limit` runs. */
  runs(limit: number): ReadonlyMap<number, number> {
    const sql = "SELECT number, last_seconds FROM runs ORDER BY number DESC LIMIT ?";
    const rows = this.#database.prepare<{ number: number; last_seconds: number }>(sql).all(limit);
    return new Map(rows.map((row) => [row.number, row.last_seconds]));
  }

  forgetRunsBefore(number: number): void {
    this.#database.prepare("DELETE FROM runs WHERE number < ?").run(number);
  }

  /** Where the walk goes on: the number of a directory, or the number behind the last one when it has been everywhere. */
  nextDirectory(): number {
    const sql = "SELECT next_directory FROM walk";
    return this.#database.prepare<{ next_directory: number }>(sql).get()?.next_directory ?? 0;
  }

  count(): number {
    const sql = "SELECT count(*) AS number FROM content";
    return this.#database.prepare<{ number: number }>(sql).get()?.number ?? 0;
  }

  close(): void {
    this.#database.close();
  }
}

export interface ContentProgress {
  readonly run: number;
  readonly lastSeconds: number;
  readonly nextDirectory: number;
}
