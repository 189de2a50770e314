/**
 * The records of one store path that could not be sent to one peer, and when each is tried again. Kept in a file of its own beside the mark
 * and written before it, because the mark passes over them. Main thread.
 */
import type { Log } from "#base/log.ts";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import {
  asideTriesAtOnce,
  firstAsidePauseMs,
  maxAsidePauseMs,
  maxAsideRecords,
} from "#sync/limits.ts";
import type { PushedRecord, SyncStore } from "#sync/push.ts";
import { type AsideRecord, formatAside, parseAside } from "#sync/sync-cursor.ts";

export interface AsideListParts {
  readonly store: SyncStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly storePathIndex: number;
  readonly peer: string;
  readonly markName: () => string;
}

interface Listed {
  record: AsideRecord;
  unreadable: boolean;
  nextMs: number;
  underWay: boolean;
}

export class AsideList {
  readonly #parts: AsideListParts;
  readonly #listed = new Map<string, Listed>();
  #changed = false;

  constructor(parts: AsideListParts) {
    this.#parts = parts;
  }

  get records(): readonly AsideRecord[] {
    return [...this.#listed.values()].map(({ record }) => record);
  }

  /** Files that the peer lacks. */
  get gaps(): number {
    let count = 0;
    for (const { record } of this.#listed.values()) {
      if (decodeEntry(record.line)?.kind !== "delete") count += 1;
    }
    return count;
  }

  /** A change of this file is set aside. */
  holds(name: string): boolean {
    for (const line of this.#listed.keys()) if (line.includes(name)) return true;
    return false;
  }

  async load(): Promise<void> {
    const { store, storePathIndex } = this.#parts;
    const text = await store.readMark(storePathIndex, this.#filename);
    this.#listed.clear();
    for (const record of parseAside(text ?? "")) {
      // The next try tells whether it can be read here: a peer's copy takes the place of what is here, and may be older.
      this.#listed.set(record.line, { record, unreadable: false, nextMs: 0, underWay: false });
    }
  }

  /** False where the list is full. */
  add(item: PushedRecord, how: { readonly why: string; readonly unreadable: boolean }): boolean {
    const { clock, log, peer, storePathIndex } = this.#parts;
    const known = this.#listed.get(item.line);
    if (known === undefined && this.#listed.size >= maxAsideRecords) return false;
    const tries = (known?.record.tries ?? 0) + 1;
    const since = known?.record.since ?? nowSeconds(clock);
    const pause = Math.min(maxAsidePauseMs, firstAsidePauseMs * 2 ** Math.min(tries - 1, 10));
    if (known === undefined) {
      const file = item.entry.name;
      log.warn("sync-record-set-aside", { peer, path: storePathIndex, file, why: how.why });
    }
    this.#listed.set(item.line, {
      record: { line: item.line, why: how.why, since, tries },
      unreadable: how.unreadable,
      nextMs: clock.monotonicMs() + pause,
      underWay: false,
    });
    this.#changed = true;
    return true;
  }

  remove(line: string): void {
    if (this.#listed.delete(line)) this.#changed = true;
  }

  /** Those whose time has come, a few at a time; they are under way until `add` or `remove`. */
  due(nowMs: number, isIdle: boolean): { readonly line: string; readonly unreadable: boolean }[] {
    const found: { readonly line: string; readonly unreadable: boolean }[] = [];
    for (const listed of this.#listed.values()) {
      if (listed.underWay || listed.nextMs > nowMs) continue;
      if (found.length >= (isIdle ? asideTriesAtOnce : 1)) break;
      listed.underWay = true;
      found.push({ line: listed.record.line, unreadable: listed.unreadable });
    }
    return found;
  }

  /** What is under way was given up with the connection. */
  interrupted(): void {
    for (const listed of this.#listed.values()) listed.underWay = false;
  }

  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const { store, storePathIndex } = this.#parts;
    try {
      if (this.#listed.size === 0) await store.removeMark(storePathIndex, this.#filename);
      else await store.writeMark(storePathIndex, this.#filename, formatAside(this.records));
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }

  get #filename(): string {
    return `${this.#parts.markName()}.aside.mark`;
  }
}
