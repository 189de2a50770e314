/**
 * What the state database says beside what moves by itself: counts, free space, and how far things have got, all of which are told anew by
 * whoever knows them. Two equal essences are states of which one is as good as the other when a node is restored. Reads the whole of it, so
 * only for small ones. Main thread.
 */
import { createHash } from "node:crypto";
import type { Database, Statement } from "#platform/databases.ts";

/** Of tables that are not left out as a whole. */
const moving: Readonly<Record<string, "all" | readonly string[]>> = {
  storage_counts: "all",
  mirror_counts: "all",
  storage_held: "all",
  mirror_held: "all",
  tracker_times: "all",
  tracker_sync_times: "all",
  state_copies: "all",
  tracker_storages: ["total_mb", "free_mb", "store_paths", "statistics"],
  disks: ["seen_at"],
};

/** Larger ones are copied whenever anything of them changed. */
export const maxEssenceBytes = 1024 * 1024;

type Pages = { readonly pages: number; readonly size: number };
type Column = { readonly name: string; readonly owner: string };

export class StateEssence {
  readonly #database: Database;
  readonly #size: Statement<Pages>;
  readonly #rows: readonly Statement[];

  constructor(database: Database) {
    this.#database = database;
    this.#size = database.prepare<Pages>(
      "SELECT page_count AS pages, page_size AS size FROM pragma_page_count, pragma_page_size",
    );
    const columns = database
      .prepare<Column>(
        `SELECT tables.name AS owner, columns.name AS name
         FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' ORDER BY tables.name, columns.cid`,
      )
      .all();
    const tables = [...new Set(columns.map(({ owner }) => owner))];
    this.#rows = tables.flatMap((table) => {
      const left = moving[table] ?? [];
      if (left === "all") return [];
      const names = columns.filter(({ owner, name }) => owner === table && !left.includes(name));
      const list = names.map(({ name }) => `"${name}"`).join(", ");
      return [database.prepare(`SELECT '${table}', ${list} FROM "${table}" ORDER BY ${list}`)];
    });
  }

  /** Changes with everything that matters. */
  read(): string {
    const { pages = 0, size = 0 } = this.#size.get() ?? {};
    if (pages * size > maxEssenceBytes) return `changes ${this.#database.changes}`;
    const hash = createHash("sha256");
    for (const statement of this.#rows) {
      for (const row of statement.all()) hash.update(`${JSON.stringify(Object.values(row))}\n`);
    }
    return hash.digest("hex");
  }
}
