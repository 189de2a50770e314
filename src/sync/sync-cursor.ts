/**
 * How far a peer has come with the binlog of one store path, as it is kept beside the binlog: C's mark file (protocol §5.2), and a list of
 * the records that were set aside. And the position in name times that follows from it. Pure.
 */
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";
import { maxAsideRecords, maxClockPlaces } from "#sync/limits.ts";

/** The mark of a peer on one store path. */
export interface SyncMark {
  readonly position: BinlogPosition;
  /** This storage fills the peer with what it has from others, and whether that is done. */
  readonly needSyncOld: boolean;
  readonly oldDone: boolean;
  /** Unix seconds. */
  readonly until: number;
  readonly scanned: number;
  readonly synced: number;
}

export function formatMark(mark: SyncMark): string {
  return formatKeyValueLines([
    ["binlog_index", mark.position.index],
    ["binlog_offset", mark.position.offset],
    ["need_sync_old", mark.needSyncOld ? 1 : 0],
    ["sync_old_done", mark.oldDone ? 1 : 0],
    ["until_timestamp", mark.until],
    ["scan_row_count", mark.scanned],
    ["sync_row_count", mark.synced],
  ]);
}

/** Undefined where something is missing: then the cursor starts over, which sends records twice and loses none. */
export function parseMark(text: string): SyncMark | undefined {
  const values = parseKeyValueLines(text);
  const [index, offset] = [values.get("binlog_index"), values.get("binlog_offset")].map(parseCount);
  const until = parseCount(values.get("until_timestamp"));
  if (index === undefined || offset === undefined || until === undefined) return undefined;
  return {
    position: { index, offset },
    needSyncOld: values.get("need_sync_old") === "1",
    oldDone: values.get("sync_old_done") === "1",
    until,
    scanned: parseCount(values.get("scan_row_count")) ?? 0,
    synced: parseCount(values.get("sync_row_count")) ?? 0,
  };
}

/** A record that could not be sent, while those behind it go on. */
export interface AsideRecord {
  /** The line of the binlog, without its end. */
  readonly line: string;
  /** In words. */
  readonly why: string;
  /** Unix seconds. */
  readonly since: number;
  readonly tries: number;
}

export function formatAside(records: readonly AsideRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** Lines that say nothing are left out. */
export function parseAside(text: string): readonly AsideRecord[] {
  return text
    .split("\n")
    .flatMap((line) => asideOf(line) ?? [])
    .slice(0, maxAsideRecords);
}

function asideOf(text: string): AsideRecord | undefined {
  let value: Partial<AsideRecord> | null;
  try {
    value = JSON.parse(text) as Partial<AsideRecord> | null;
  } catch {
    // Cut by a crash, or damaged: anti-entropy finds what it stood for.
    return undefined;
  }
  if (typeof value !== "object" || value === null || typeof value.line !== "string")
    return undefined;
  const { line, why, since, tries } = value;
  return {
    line,
    why: typeof why === "string" ? why : "",
    since: typeof since === "number" ? since : 0,
    tries: typeof tries === "number" ? tries : 0,
  };
}

/**
 * Turns places of the binlog into name times. Whoever reads the name clock, and then finds where the binlog ends, knows: what comes behind
 * that end has at least that time in its name. Once everything before the end is acknowledged, the peer has every file below the time. This
 * asks nothing of the order of records, and nothing of anybody's clock.
 */
export class ClockPlaces {
  readonly #places: { readonly clock: number; end: BinlogPosition }[] = [];
  #reached = 0;

  /** The name time below which everything is acknowledged; 0 while nothing is known. */
  get reached(): number {
    return this.#reached;
  }

  /** `clock` was read before the binlog was found to end at `end`. */
  note(clock: number, end: BinlogPosition): void {
    const last = this.#places.at(-1);
    if (last !== undefined && clock <= last.clock) return;
    if (last !== undefined && comparePositions(last.end, end) === 0) this.#places.pop();
    this.#places.push({ clock, end });
    if (this.#places.length <= maxClockPlaces) return;
    // Every other one goes, and the newest stays: coarser steps, over the same way.
    const kept = this.#places.filter((_place, at) => at % 2 === (this.#places.length - 1) % 2);
    this.#places.splice(0, this.#places.length, ...kept);
  }

  /** Everything before `position` is acknowledged. */
  advance(position: BinlogPosition): void {
    for (;;) {
      const next = this.#places[0];
      if (next === undefined || comparePositions(next.end, position) > 0) return;
      this.#reached = Math.max(this.#reached, next.clock);
      this.#places.shift();
    }
  }
}
