/**
 * Keeps how far one peer has come with one store path beside the binlog: the mark, and before it the list of what was set aside, because the
 * mark passes over those. Main thread.
 */
import type { AsideList } from "#sync/aside-list.ts";
import type { SyncStore } from "#sync/push.ts";
import { formatMark, parseMark, type SyncMark } from "#sync/sync-cursor.ts";

export interface MarkKeeperParts {
  readonly store: SyncStore;
  readonly storePathIndex: number;
  /** Of the mark file, without its ending. */
  readonly markName: () => string;
  readonly aside: AsideList;
}

export class MarkKeeper {
  readonly #parts: MarkKeeperParts;
  #mark: SyncMark | undefined;
  #saved = "";
  #saving: Promise<void> | undefined;
  #loaded = false;
  /** Lines that were read since the mark was last noted. */
  scanned = 0;
  /** Records that were acknowledged since. */
  synced = 0;

  constructor(parts: MarkKeeperParts) {
    this.#parts = parts;
  }

  get mark(): SyncMark | undefined {
    return this.#mark;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Reads the mark; undefined where there is none that can be used. Rejects where the store path cannot be read. */
  async load(): Promise<SyncMark | undefined> {
    const { store, storePathIndex, aside } = this.#parts;
    const text = await store.readMark(storePathIndex, this.#filename);
    this.#mark = text === undefined ? undefined : parseMark(text);
    await aside.load();
    this.#loaded = true;
    return this.#mark;
  }

  /** Writes the mark with the counts, unless it is written already; while one is being written nothing is begun. */
  save(place: Omit<SyncMark, "scanned" | "synced">): Promise<void> {
    const { scanned = 0, synced = 0 } = this.#mark ?? {};
    const counts = { scanned: scanned + this.scanned, synced: synced + this.synced };
    this.scanned = 0;
    this.synced = 0;
    const mark = { ...place, ...counts };
    this.#mark = mark;
    this.#saving ??= this.#write(mark).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #write(mark: SyncMark): Promise<void> {
    const { store, storePathIndex, aside } = this.#parts;
    await aside.save();
    const text = formatMark(mark);
    if (text === this.#saved) return;
    await store.writeMark(storePathIndex, this.#filename, text);
    this.#saved = text;
  }

  get #filename(): string {
    return `${this.#parts.markName()}.mark`;
  }
}
