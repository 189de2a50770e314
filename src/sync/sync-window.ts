/**
 * The records of one store path that a peer has not acknowledged, in the order of the binlog. A record is ready when no earlier one that
 * touches the same thing is under way; the acknowledged position is that behind the last of those that all are done. Pure: the owner sends.
 */
import { assert } from "#base/assert.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { TouchedSlot, Touches } from "#sync/sync-record.ts";

/** Slots are looked for by pieces of trunk files of this size. */
const blockBytes = 64 * 1024;

/** One record in the window; its owner may hang what it likes on `item`. */
export interface WindowEntry<Item> {
  readonly item: Item;
  readonly touches: Touches;
  /** Where the record behind it begins. */
  end: BinlogPosition;
  state: "waiting" | "ready" | "sent" | "done";
  /** Earlier records that touch the same and are not done. */
  blockers: number;
  readonly followers: WindowEntry<Item>[];
}

export class SyncWindow<Item> {
  readonly #entries: WindowEntry<Item>[] = [];
  /** Index of the oldest one in `#entries` that is not done. */
  #head = 0;
  readonly #ready: WindowEntry<Item>[] = [];
  #readyHead = 0;
  /** The last record that is not done, of each name. */
  readonly #lastOfName = new Map<string, WindowEntry<Item>>();
  readonly #slots = new Map<string, { slot: TouchedSlot; entry: WindowEntry<Item> }[]>();
  #acknowledged: BinlogPosition;

  constructor(start: BinlogPosition) {
    this.#acknowledged = start;
  }

  /** Everything before it is done. */
  get acknowledged(): BinlogPosition {
    return this.#acknowledged;
  }

  /** Records that are not done, and those that are done behind one that is not. */
  get size(): number {
    return this.#entries.length - this.#head;
  }

  get readyCount(): number {
    return this.#ready.length - this.#readyHead;
  }

  /** The oldest record that is not done. */
  get oldest(): Item | undefined {
    return this.#entries[this.#head]?.item;
  }

  /** The next record, which ends at `end`. */
  add(item: Item, touches: Touches, end: BinlogPosition): void {
    const entry: WindowEntry<Item> = {
      item,
      touches,
      end,
      state: "waiting",
      blockers: 0,
      followers: [],
    };
    const earlier = new Set<WindowEntry<Item>>();
    for (const name of touches.names) {
      const last = this.#lastOfName.get(name);
      if (last !== undefined) earlier.add(last);
      this.#lastOfName.set(name, entry);
    }
    for (const slot of touches.slots) this.#enterSlot(slot, entry, earlier);
    earlier.delete(entry);
    for (const one of earlier) one.followers.push(entry);
    entry.blockers = earlier.size;
    this.#entries.push(entry);
    if (entry.blockers === 0) this.#makeReady(entry);
  }

  /** A record that need not be sent ends at `end`. */
  skip(end: BinlogPosition): void {
    const last = this.#entries.at(-1);
    if (last === undefined || this.size === 0) this.#acknowledged = end;
    else last.end = end;
  }

  /** The oldest ready record that `accepts` lets pass, now under way; undefined where the next one does not pass, or there is none. */
  take(accepts: (item: Item) => boolean): WindowEntry<Item> | undefined {
    const next = this.#ready[this.#readyHead];
    if (next === undefined || !accepts(next.item)) return undefined;
    this.#readyHead += 1;
    if (this.#readyHead > 1024) {
      this.#ready.splice(0, this.#readyHead);
      this.#readyHead = 0;
    }
    next.state = "sent";
    return next;
  }

  /** A record that was under way is to be sent again, before those that were never sent. */
  retry(entry: WindowEntry<Item>): void {
    assert(entry.state === "sent", "only what was sent can be sent again");
    entry.state = "ready";
    if (this.#readyHead > 0) {
      this.#readyHead -= 1;
      this.#ready[this.#readyHead] = entry;
    } else {
      this.#ready.unshift(entry);
    }
  }

  /** The peer has it, or it was set aside. */
  finish(entry: WindowEntry<Item>): void {
    assert(entry.state === "sent", "only what was sent can be done");
    entry.state = "done";
    for (const name of entry.touches.names) {
      if (this.#lastOfName.get(name) === entry) this.#lastOfName.delete(name);
    }
    for (const slot of entry.touches.slots) this.#leaveSlot(slot, entry);
    for (const follower of entry.followers) {
      follower.blockers -= 1;
      if (follower.blockers === 0) this.#makeReady(follower);
    }
    entry.followers.length = 0;
    this.#advance();
  }

  #makeReady(entry: WindowEntry<Item>): void {
    entry.state = "ready";
    this.#ready.push(entry);
  }

  #advance(): void {
    for (;;) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined || oldest.state !== "done") break;
      this.#acknowledged = oldest.end;
      this.#head += 1;
    }
    if (this.#head > 1024 || this.#head === this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #enterSlot(slot: TouchedSlot, entry: WindowEntry<Item>, earlier: Set<WindowEntry<Item>>): void {
    for (const block of blocksOf(slot)) {
      const there = this.#slots.get(block);
      if (there === undefined) {
        this.#slots.set(block, [{ slot, entry }]);
        continue;
      }
      for (const one of there) {
        if (one.slot.from < slot.to && slot.from < one.slot.to) earlier.add(one.entry);
      }
      there.push({ slot, entry });
    }
  }

  #leaveSlot(slot: TouchedSlot, entry: WindowEntry<Item>): void {
    for (const block of blocksOf(slot)) {
      const rest = this.#slots.get(block)?.filter((one) => one.entry !== entry) ?? [];
      if (rest.length === 0) this.#slots.delete(block);
      else this.#slots.set(block, rest);
    }
  }
}

function blocksOf({ file, from, to }: TouchedSlot): string[] {
  const blocks: string[] = [];
  const last = Math.floor((to - 1) / blockBytes);
  for (let block = Math.floor(from / blockBytes); block <= last; block += 1) {
    blocks.push(`${file} ${block}`);
  }
  return blocks;
}
