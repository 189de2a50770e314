/**
 * Walks a store path for an inventory, in the background: a bounded step at a time, and at a pace, so that the disk and the thread are
 * those of whoever asks for files. One walk at a time; what the last ones found stays until it is taken. Worker thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Horizons } from "#filestore/inventory/horizons.ts";
import { formatEntry } from "#filestore/inventory/inventory-entry.ts";
import { fanOut, InventoryTable, leafCount } from "#filestore/inventory/inventory-table.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import { type DirectoryWorld, InventoryDirectory } from "#filestore/worker/inventory-directory.ts";
import { directoryName } from "#model/remote-filename.ts";
import type { Clock } from "#platform/clock.ts";
import { FileError } from "#platform/files.ts";

/** What a walk does between two looks at the requests. */
const stepMs = 3;
/** Entries between two looks at the time. */
const entriesPerLook = 128;
/** Longest pause between two steps, so that a walk goes on at all. */
const maxPauseMs = 250;
/** Walks that are done and not taken, 768 KiB each: of whoever went away, or is still at a walk elsewhere. */
const maxFinished = 4;

export interface WalkState {
  readonly number: number;
  readonly leavesDone: number;
  readonly files: number;
  /** Why it ended before the last directory. */
  readonly problem: string | undefined;
  readonly table: InventoryTable;
}

export interface InventoryWalkParts extends DirectoryWorld {
  readonly clock: Clock;
}

interface Walk {
  readonly number: number;
  readonly table: InventoryTable;
  readonly horizons: Horizons;
  /** Of the time, in percent, that may be used. */
  readonly share: number;
  readonly steps: Generator<undefined, void>;
  leavesDone: number;
  files: number;
  problem: string | undefined;
}

export class InventoryWalk implements BackgroundWork {
  readonly #parts: InventoryWalkParts;
  /** Under way. */
  #walk: Walk | undefined;
  /** The oldest first. */
  readonly #finished = new Map<number, Walk>();
  #numbers = 0;

  constructor(parts: InventoryWalkParts) {
    this.#parts = parts;
  }

  /** Begins a walk that uses `share` percent of the thread's time, 1 … 100; its number, or 0 while another one is under way. */
  begin(horizons: Horizons, share: number): number {
    if (this.#walk !== undefined) return 0;
    this.#numbers += 1;
    const walk: Walk = {
      number: this.#numbers,
      table: new InventoryTable(),
      horizons,
      share: Math.min(100, Math.max(1, share)),
      steps: this.#steps(() => walk),
      leavesDone: 0,
      files: 0,
      problem: undefined,
    };
    this.#walk = walk;
    return walk.number;
  }

  /** Undefined where there is no walk of this number any more. */
  state(number: number): WalkState | undefined {
    return this.#walk?.number === number ? this.#walk : this.#finished.get(number);
  }

  /** Drops what a walk found, or ends it. */
  end(number: number): void {
    if (this.#walk?.number === number) this.#walk = undefined;
    this.#finished.delete(number);
  }

  step(): number | undefined {
    const walk = this.#walk;
    if (walk === undefined) return undefined;
    const { clock } = this.#parts;
    const beganMs = clock.monotonicMs();
    let ended = false;
    try {
      do {
        ended = walk.steps.next().done === true;
      } while (!ended && clock.monotonicMs() - beganMs < stepMs);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      walk.problem = describeError(error);
      ended = true;
    }
    if (ended) {
      this.#finish(walk);
      return undefined;
    }
    const usedMs = clock.monotonicMs() - beganMs;
    return Math.min(maxPauseMs, (usedMs * (100 - walk.share)) / walk.share);
  }

  #finish(walk: Walk): void {
    this.#walk = undefined;
    this.#finished.set(walk.number, walk);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > maxFinished && oldest !== undefined) this.#finished.delete(oldest);
  }

  *#steps(self: () => Walk): Generator<undefined, void> {
    const { files, layout } = this.#parts;
    const walk = self();
    for (let upper = 0; upper < fanOut; upper += 1) {
      const path = `${layout.data}/${directoryName(upper)}`;
      for (const lower of directoryNumbers(files, path)) {
        const leaf = upper * fanOut + lower;
        yield* this.#enter(walk, leaf);
        walk.leavesDone = leaf + 1;
        yield undefined;
      }
      walk.leavesDone = (upper + 1) * fanOut;
    }
    walk.leavesDone = leafCount;
  }

  *#enter(walk: Walk, leaf: number): Generator<undefined, void> {
    const directory = new InventoryDirectory(this.#parts, leaf, walk.horizons);
    let met = 0;
    for (const name of directory.names ?? []) {
      const entry = directory.entryOf(name);
      if (entry !== undefined) {
        walk.table.add(leaf, entry.kind === "named" ? name : formatEntry(entry));
        walk.files += 1;
      }
      met += 1;
      if (met % entriesPerLook === 0) yield undefined;
    }
    for (const fileId of directory.trunkFiles) {
      for (const entry of directory.slots(fileId, 0)) {
        if (entry !== undefined) {
          walk.table.add(leaf, formatEntry(entry));
          walk.files += 1;
        }
        met += 1;
        if (entry === undefined || met % entriesPerLook === 0) yield undefined;
      }
    }
  }
}

/**
 * How many names each of the 256 directories in an upper directory has now, or, with `upper` undefined, how many directories each upper one
 * has; 0 where there is no such directory. Throws `FileError`.
 */
export function* countNames(
  { files, layout }: DirectoryWorld,
  upper: number | undefined,
): Generator<undefined, readonly number[]> {
  const path = upper === undefined ? layout.data : `${layout.data}/${directoryName(upper)}`;
  const counts = new Array<number>(fanOut).fill(0);
  for (const number of directoryNumbers(files, path)) {
    counts[number] = files.list(`${path}/${directoryName(number)}`)?.length ?? 0;
    yield undefined;
  }
  return counts;
}

/**
 * The entries of one directory whose keys come behind `after`, in order, as lines, as many as `target` has room for. `more` where there
 * are others. Throws `FileError`.
 */
export function* listLeaf(
  world: DirectoryWorld,
  leaf: number,
  how: { readonly after: string; readonly horizons: Horizons; readonly room: number },
): Generator<undefined, { readonly lines: string; readonly more: boolean }> {
  const directory = new InventoryDirectory(world, leaf, how.horizons);
  const page = new Page(how.room);
  for (const fileId of directory.trunkFiles) {
    const from = startIn(fileId, how.after);
    if (from === undefined) continue;
    let met = 0;
    for (const entry of directory.slots(fileId, from)) {
      met += 1;
      if (entry === undefined || met % entriesPerLook === 0) yield undefined;
      if (entry === undefined || entry.key <= how.after) continue;
      if (!page.add(formatEntry(entry))) return page.end(true);
    }
  }
  const names = (directory.names ?? []).filter((name) => name > how.after).sort(bytewise);
  for (const [at, name] of names.entries()) {
    const entry = directory.entryOf(name);
    if (entry !== undefined && !page.add(formatEntry(entry))) return page.end(true);
    if (at % entriesPerLook === 0) yield undefined;
  }
  return page.end(false);
}

/** Where to begin in a trunk file; undefined where all of it was listed. */
function startIn(fileId: number, after: string): number | undefined {
  const match = /^#(\d{10})#(\d{10})$/.exec(after);
  if (match === null) return after === "" ? 0 : undefined;
  const last = Number(match[1]);
  if (fileId < last) return undefined;
  return fileId === last ? Number(match[2]) : 0;
}

class Page {
  readonly #room: number;
  readonly #lines: string[] = [];
  #length = 0;

  constructor(room: number) {
    this.#room = room;
  }

  add(line: string): boolean {
    if (this.#length + line.length + 1 > this.#room) return false;
    this.#length += line.length + 1;
    this.#lines.push(line);
    return true;
  }

  end(more: boolean): { readonly lines: string; readonly more: boolean } {
    return { lines: this.#lines.map((line) => `${line}\n`).join(""), more };
  }
}

function bytewise(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
