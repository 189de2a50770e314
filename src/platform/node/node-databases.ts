/**
 * Databases through better-sqlite3, in write-ahead mode. The single executable carries the native part as an asset and hands it
 * over as `nativeBinding`; elsewhere the package finds its own.
 */
import SqliteDatabase from "better-sqlite3";
import type {
  Database,
  Databases,
  Durability,
  SqlRow,
  SqlValue,
  Statement,
} from "#platform/databases.ts";

export interface NodeDatabasesOptions {
  /** The exports of the native addon, or the path of its file. */
  readonly nativeBinding?: string | object;
}

/** Another process that holds the file, such as a backup, is waited for this long. */
const busyTimeoutMs = 2000;

const pragmas: Readonly<Record<Durability, string>> = {
  flushed: "synchronous = FULL",
  relaxed: "synchronous = NORMAL",
};

export function nodeDatabases(options: NodeDatabasesOptions = {}): Databases {
  return { open: (path) => new NodeDatabase(path, options) };
}

class NodeDatabase implements Database {
  readonly #handle: SqliteDatabase.Database;
  #durability: Durability = "flushed";

  constructor(path: string, options: NodeDatabasesOptions) {
    // The package's types know of paths only, its code takes the addon as well.
    const native = options.nativeBinding as string | undefined;
    this.#handle = new SqliteDatabase(path, {
      timeout: busyTimeoutMs,
      ...(native === undefined ? {} : { nativeBinding: native }),
    });
    try {
      this.#handle.pragma("journal_mode = WAL");
      this.#handle.pragma("foreign_keys = ON");
      this.#handle.pragma(pragmas.flushed);
    } catch (error) {
      this.#handle.close();
      throw error;
    }
  }

  prepare<Row extends SqlRow>(sql: string): Statement<Row> {
    const statement = this.#handle.prepare<SqlValue[], Row>(sql);
    return {
      run: (...values) => statement.run(...values).changes,
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    };
  }

  execute(sql: string): void {
    this.#handle.exec(sql);
  }

  transaction<T>(durability: Durability, work: () => T): T {
    if (durability !== this.#durability) {
      this.#handle.pragma(pragmas[durability]);
      this.#durability = durability;
    }
    return this.#handle.transaction(work)();
  }

  serialize(): Uint8Array {
    return this.#handle.serialize();
  }

  get changes(): number {
    return this.#handle.prepare("SELECT total_changes()").pluck().get() as number;
  }

  get version(): number {
    return this.#handle.pragma("user_version", { simple: true }) as number;
  }

  set version(number: number) {
    this.#handle.pragma(`user_version = ${Math.trunc(number)}`);
  }

  close(): void {
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
