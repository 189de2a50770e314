/** The storage's state in state.sqlite. Main thread; never on the path of a request. */
import { isStorageId } from "#model/storage-id.ts";
import type { Database, Statement } from "#platform/databases.ts";
import type { MembershipFacts, StorageState } from "#storage/membership.ts";

type MembershipRow = {
  readonly join_time: number;
  readonly sync_settled: number;
  readonly sync_source: string | null;
  readonly sync_until: number;
};
type CountRow = { readonly kind: string; readonly total: number; readonly success: number };

export class StorageTable implements StorageState {
  readonly #database: Database;
  readonly #load: Statement<MembershipRow>;
  readonly #save: Statement;
  readonly #loadCounts: Statement<CountRow>;
  readonly #saveCount: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#load = database.prepare(
      "SELECT join_time, sync_settled, sync_source, sync_until FROM storage_membership",
    );
    this.#save = database.prepare(
      "INSERT OR REPLACE INTO storage_membership (singleton, join_time, sync_settled, sync_source, sync_until) VALUES (1, ?, ?, ?, ?)",
    );
    this.#loadCounts = database.prepare("SELECT kind, total, success FROM storage_counts");
    this.#saveCount = database.prepare(
      "INSERT OR REPLACE INTO storage_counts (kind, total, success) VALUES (?, ?, ?)",
    );
  }

  loadMembership(): MembershipFacts | undefined {
    const row = this.#load.get();
    if (row === undefined) return undefined;
    const source = row.sync_source;
    return {
      joinTime: row.join_time,
      syncSettled: row.sync_settled !== 0,
      syncSource: source !== null && isStorageId(source) ? source : undefined,
      syncUntil: row.sync_until,
    };
  }

  saveMembership(facts: MembershipFacts): void {
    this.#database.transaction("flushed", () => {
      this.#save.run(
        facts.joinTime,
        facts.syncSettled ? 1 : 0,
        facts.syncSource ?? null,
        facts.syncUntil,
      );
    });
  }

  loadCounts(): Record<string, { readonly total: number; readonly success: number }> {
    return Object.fromEntries(
      this.#loadCounts.all().map((row) => [row.kind, { total: row.total, success: row.success }]),
    );
  }

  saveCounts(
    counts: Readonly<Record<string, { readonly total: number; readonly success: number }>>,
  ): void {
    this.#database.transaction("relaxed", () => {
      for (const [kind, count] of Object.entries(counts)) {
        this.#saveCount.run(kind, count.total, count.success);
      }
    });
  }
}
