/** Moves of store paths, and what people want of disks, in state.sqlite. Main thread; never on the path of a request. */
import {
  type MovePhase,
  type MovePurpose,
  maxUnreadable,
  movePhases,
  type StorePathMove,
} from "#disks/moves/store-path-move.ts";
import { DiskId } from "#model/disk-id.ts";
import type { Database, Statement } from "#platform/databases.ts";

/** `drain`: no new files. `retire`: it is to carry nothing any more. */
export type DiskWish = "drain" | "retire";

export interface MoveMemory {
  /** By store path. */
  load(): readonly StorePathMove[];
  /** Replaces the last move of that store path. */
  save(move: StorePathMove): void;
  wishes(): ReadonlyMap<DiskId, DiskWish>;
  wish(disk: DiskId, wish: DiskWish | undefined): void;
}

type Row = {
  readonly store_path: number;
  readonly source: string;
  readonly target: string;
  readonly purpose: string;
  readonly phase: string;
  readonly problem: string | null;
  readonly leaves_unreadable: number;
  readonly unreadable: string;
  readonly begun_at: number;
  readonly ended_at: number | null;
};

const columns =
  "store_path, source, target, purpose, phase, problem, leaves_unreadable, unreadable, begun_at, ended_at";

export class MoveTable implements MoveMemory {
  readonly #database: Database;
  readonly #load: Statement<Row>;
  readonly #save: Statement;
  readonly #wishes: Statement<{ readonly disk: string; readonly wish: string }>;
  readonly #wish: Statement;
  readonly #forget: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#load = database.prepare(`SELECT ${columns} FROM store_path_moves ORDER BY store_path`);
    this.#save = database.prepare(
      `INSERT OR REPLACE INTO store_path_moves (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#wishes = database.prepare("SELECT disk, wish FROM disk_wishes");
    this.#wish = database.prepare("INSERT OR REPLACE INTO disk_wishes (disk, wish) VALUES (?, ?)");
    this.#forget = database.prepare("DELETE FROM disk_wishes WHERE disk = ?");
  }

  load(): readonly StorePathMove[] {
    return this.#load.all().flatMap((row) => moveOf(row) ?? []);
  }

  save(move: StorePathMove): void {
    const { storePath, source, target, purpose, phase, problem } = move;
    const { leavesUnreadable, unreadable, begunAt, endedAt } = move;
    this.#database.transaction("flushed", () => {
      this.#save.run(
        ...[storePath, source, target, purpose, phase, problem ?? null],
        ...[leavesUnreadable ? 1 : 0, JSON.stringify(unreadable.slice(0, maxUnreadable))],
        ...[begunAt, endedAt ?? null],
      );
    });
  }

  wishes(): ReadonlyMap<DiskId, DiskWish> {
    return new Map(
      this.#wishes
        .all()
        .flatMap(({ disk, wish }) =>
          wish === "drain" || wish === "retire" ? [[DiskId(disk), wish] as const] : [],
        ),
    );
  }

  wish(disk: DiskId, wish: DiskWish | undefined): void {
    this.#database.transaction("flushed", () => {
      if (wish === undefined) this.#forget.run(disk);
      else this.#wish.run(disk, wish);
    });
  }
}

/** What a newer release made of it is left alone. */
function moveOf(row: Row): StorePathMove | undefined {
  const { purpose } = row;
  if (!movePhases.some((phase) => phase === row.phase)) return undefined;
  if (purpose !== "retire" && purpose !== "rebalance") return undefined;
  return {
    storePath: row.store_path,
    source: DiskId(row.source),
    target: DiskId(row.target),
    purpose: purpose satisfies MovePurpose,
    phase: row.phase as MovePhase,
    problem: row.problem ?? undefined,
    leavesUnreadable: row.leaves_unreadable !== 0,
    unreadable: placesOf(row.unreadable),
    begunAt: row.begun_at,
    endedAt: row.ended_at ?? undefined,
  };
}

function placesOf(text: string): readonly string[] {
  const found: unknown = JSON.parse(text);
  return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
}
