/**
 * SQL databases in one file each, as the code sees them: synchronous, prepared statements, transactions. Every handle belongs
 * to the thread that opened it. Simulation passes another implementation in.
 */
export type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Statement<Row extends SqlRow = SqlRow> {
  /** How many rows changed. */
  run(...values: readonly SqlValue[]): number;
  /** The first row, or undefined. */
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): readonly Row[];
}

/**
 * What a commit promises: `flushed` survives a power cut from the moment it returns; `relaxed` survives the end of the process,
 * and a power cut after some seconds. Neither can leave a torn database.
 */
export type Durability = "flushed" | "relaxed";

export interface Database extends Disposable {
  prepare<Row extends SqlRow = SqlRow>(sql: string): Statement<Row>;
  /** Several statements without values and results. */
  execute(sql: string): void;
  /** All of `work` or nothing of it; an error thrown by `work` rolls back and is passed on. Not nested. */
  transaction<T>(durability: Durability, work: () => T): T;
  /** The number that the database carries for its owner (`user_version`); 0 at first. */
  version: number;
  close(): void;
}

export interface Databases {
  /** Opens or makes the database in the file `path`, whose directory must exist. `:memory:` lives until it is closed. */
  open(path: string): Database;
}
