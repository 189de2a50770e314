/** The storage's state in state.sqlite. Main thread; never on the path of a request. */
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { isStorageStatus } from "#model/storage-status.ts";
import type { Database, Statement } from "#platform/databases.ts";
import type { MembershipFacts, StorageState } from "#storage/membership.ts";
import type { SavedPeer } from "#storage/peer-directory.ts";
import type { HeldPosition } from "#sync/held-positions.ts";

type MembershipRow = {
  readonly join_time: number;
  readonly sync_settled: number;
  readonly sync_source: string | null;
  readonly sync_until: number;
  readonly filled: number;
  readonly own_addresses: string;
};
type PeerRow = {
  readonly id: string;
  readonly addresses: string;
  readonly former_addresses: string;
  readonly port: number;
  readonly status: number;
  readonly cairn: number | null;
  readonly disk: string | null;
};
type HeldRow = { readonly source: string; readonly held_until: number; readonly gaps: number };
type CountRow = { readonly kind: string; readonly total: number; readonly success: number };

/** Which of the two sets of tables. */
export type TablePrefix = "storage" | "mirror";

export class StorageTable implements StorageState {
  readonly #database: Database;
  readonly #load: Statement<MembershipRow>;
  readonly #save: Statement;
  readonly #loadPeers: Statement<PeerRow>;
  readonly #clearPeers: Statement;
  readonly #savePeer: Statement;
  readonly #loadCounts: Statement<CountRow>;
  readonly #saveCount: Statement;
  readonly #loadHeld: Statement<HeldRow>;
  readonly #clearHeld: Statement;
  readonly #saveHeld: Statement;

  /** `tables` begins their names: a mirror's second half has tables of its own. */
  constructor(database: Database, tables: TablePrefix = "storage") {
    this.#database = database;
    this.#load = database.prepare(
      `SELECT join_time, sync_settled, sync_source, sync_until, filled, own_addresses FROM ${tables}_membership`,
    );
    this.#save = database.prepare(
      `INSERT OR REPLACE INTO ${tables}_membership (singleton, join_time, sync_settled, sync_source, sync_until, filled, own_addresses) VALUES (1, ?, ?, ?, ?, ?, ?)`,
    );
    this.#loadPeers = database.prepare(
      `SELECT id, addresses, former_addresses, port, status, cairn, disk FROM ${tables}_peers ORDER BY id`,
    );
    this.#clearPeers = database.prepare(`DELETE FROM ${tables}_peers`);
    this.#savePeer = database.prepare(
      `INSERT INTO ${tables}_peers (id, addresses, former_addresses, port, status, cairn, disk) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#loadCounts = database.prepare(`SELECT kind, total, success FROM ${tables}_counts`);
    this.#saveCount = database.prepare(
      `INSERT OR REPLACE INTO ${tables}_counts (kind, total, success) VALUES (?, ?, ?)`,
    );
    this.#loadHeld = database.prepare(`SELECT source, held_until, gaps FROM ${tables}_held`);
    this.#clearHeld = database.prepare(`DELETE FROM ${tables}_held`);
    this.#saveHeld = database.prepare(
      `INSERT INTO ${tables}_held (source, held_until, gaps) VALUES (?, ?, ?)`,
    );
  }

  loadMembership(): MembershipFacts | undefined {
    const row = this.#load.get();
    if (row === undefined) return undefined;
    const { sync_source: source, sync_settled: settled } = row;
    return {
      joinTime: row.join_time,
      syncSettled: settled !== 0,
      syncSource: source !== null && isStorageId(source) ? source : undefined,
      syncUntil: row.sync_until,
      // Releases that did not note it: whom nobody was to fill has nothing to wait for.
      filled: row.filled !== 0 || (settled !== 0 && source === null),
      ownAddresses: separated(row.own_addresses),
    };
  }

  saveMembership(facts: MembershipFacts): void {
    this.#database.transaction("flushed", () => {
      this.#save.run(
        facts.joinTime,
        facts.syncSettled ? 1 : 0,
        facts.syncSource ?? null,
        facts.syncUntil,
        facts.filled ? 1 : 0,
        facts.ownAddresses.join(),
      );
    });
  }

  loadPeers(): readonly SavedPeer[] {
    return this.#loadPeers.all().flatMap(({ id, status, port, ...row }) => {
      if (!isStorageId(id) || !isStorageStatus(status)) return [];
      const cairn = row.cairn === null ? undefined : row.cairn !== 0;
      const addresses = separated(row.addresses);
      return {
        id,
        addresses,
        formerAddresses: separated(row.former_addresses),
        port,
        status,
        cairn,
        disk: row.disk ?? undefined,
      };
    });
  }

  savePeers(peers: readonly SavedPeer[]): void {
    this.#database.transaction("relaxed", () => {
      this.#clearPeers.run();
      for (const { id, addresses, formerAddresses, port, status, ...told } of peers) {
        const cairn = told.cairn === undefined ? null : Number(told.cairn);
        const places = [addresses.join(), formerAddresses.join()] as const;
        this.#savePeer.run(id, ...places, port, status, cairn, told.disk ?? null);
      }
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

  loadHeld(): ReadonlyMap<StorageId, HeldPosition> {
    return new Map(
      this.#loadHeld
        .all()
        .flatMap(({ source, held_until: heldUntil, gaps }) =>
          isStorageId(source) ? [[source, { heldUntil, gaps }] as const] : [],
        ),
    );
  }

  saveHeld(held: ReadonlyMap<StorageId, HeldPosition>): void {
    this.#database.transaction("relaxed", () => {
      this.#clearHeld.run();
      for (const [source, { heldUntil, gaps }] of held) this.#saveHeld.run(source, heldUntil, gaps);
    });
  }
}

function separated(text: string): readonly string[] {
  return text === "" ? [] : text.split(",");
}
