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
  /** The whole of it as the content of a file that `open` would take. Costs a copy in memory. */
  serialize(): Uint8Array;
  /** Rows that were changed through this handle so far. */
  readonly changes: number;
  /** The number that the database carries for its owner (`user_version`); 0 at first. */
  version: number;
  close(): void;
}

export interface Databases {
  /** Opens or makes the database in the file `path`, whose directory must exist. `:memory:` lives until it is closed. */
  open(path: string): Database;
}

/** The system said no: the database itself is well, as far as one knows. */
const refusals: readonly string[] = [
  ...["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED"],
  ...["SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_NOMEM"],
];

/**
 * What a failed call says about the database: `damaged` where its content is not what it should be, `refused` where the system did
 * not let it be used, such as a full disk. For databases that can be made again.
 */
export function failureKind(error: unknown): "damaged" | "refused" {
  for (let each = error; each instanceof Error; each = each.cause) {
    const code = "code" in each ? String(each.code) : "";
    if (!code.startsWith("SQLITE_")) continue;
    return refusals.some((refusal) => code.startsWith(refusal)) ? "refused" : "damaged";
  }
  return "refused";
}
