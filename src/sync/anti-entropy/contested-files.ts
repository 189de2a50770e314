/**
 * Appender files whose versions met: a whole file took the place of another version here, or was refused for a later one. Changes that were
 * made without each other may be in other members' copies in another order by then, of one time and size, which neither replication nor a
 * comparison of inventories would notice. So each such file is compared with all members once nothing of the kind has happened to it for a
 * while, by content: of two copies the later version stays, of equal ones that with the later bytes, which is the same everywhere. Bounded in
 * number and tries; which files these are is noted on their store paths, before versions meet, and outlasts restarts. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { FileFacts } from "#filestore/file-store.ts";
import type { ReplicaStore } from "#filestore/replica-store.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Clock } from "#platform/clock.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import {
  contestRestMs,
  contestRetryMs,
  maxContestedFiles,
  maxContestTries,
} from "#sync/anti-entropy/limits.ts";
import type { RepairedStore, RepairPeer } from "#sync/anti-entropy/peer-file.ts";

/** In `data/sync` of a store path: a name a line. */
const contestedMark = "cairn-contested.mark";

export interface ContestPeer {
  readonly files: RepairPeer;
}

export interface ContestedFilesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<RepairedStore, "storeReplica" | "facts">;
  readonly notes: Pick<ReplicaStore, "readMark" | "writeMark" | "removeMark">;
  /** The members of ours that can be asked now. */
  readonly peers: () => readonly ContestPeer[];
  /** Those that may have the file as well, and cannot be asked now. */
  readonly absent: () => readonly StorageId[];
}

interface Contest {
  dueMs: number;
  tries: number;
}

export class ContestedFiles {
  readonly #parts: ContestedFilesParts;
  readonly #contests = new Map<string, Contest>();
  /** What the note on each store path says; not there: it has not been read yet. */
  readonly #noted = new Map<number, ReadonlySet<string>>();
  /** One after the other on each store path. */
  readonly #writing = new Map<number, Promise<void>>();
  #settling = false;

  constructor(parts: ContestedFilesParts) {
    this.#parts = parts;
  }

  /** Files that are to be compared. */
  get size(): number {
    return this.#contests.size;
  }

  /** A store path is served: what was noted before the last restart is to be compared as well. */
  async load(storePathIndex: number): Promise<void> {
    const text = await this.#parts.notes.readMark(storePathIndex, contestedMark);
    const names = (text ?? "").split("\n").filter((name) => placeOf(name) === storePathIndex);
    this.#noted.set(storePathIndex, new Set(names));
    for (const name of names) if (!this.#contests.has(name)) this.#add(name);
  }

  /**
   * Versions of the file meet here, or may be about to. Of what is no appender file whole versions go to everybody as it is. Resolves when
   * that outlasts a restart, or cannot be noted, which is told.
   */
  async note(name: string): Promise<void> {
    const index = placeOf(name);
    if (index === undefined) return;
    this.#add(name);
    if (this.#noted.get(index)?.has(name) !== true) await this.#write(index);
  }

  /** To be called about once a second. */
  look(): void {
    if (this.#settling) return;
    this.#forgetSettled();
    const now = this.#nowMs;
    const due = [...this.#contests].find(([, { dueMs }]) => dueMs <= now);
    if (due === undefined) return;
    const [name, contest] = due;
    this.#settling = true;
    const settled = this.#settle(name)
      .catch((error: unknown) => {
        this.#parts.log.notice("contest-not-settled", { name, why: describeError(error) });
        return false;
      })
      .then((isSettled) => this.#end(name, contest, isSettled))
      .finally(() => {
        this.#settling = false;
      });
    ignore(settled, this.#parts.log, "it was told");
  }

  #add(name: string): void {
    this.#contests.delete(name);
    if (this.#contests.size >= maxContestedFiles) {
      const [oldest] = this.#contests.keys();
      if (oldest !== undefined) this.#contests.delete(oldest);
    }
    this.#contests.set(name, { dueMs: this.#nowMs + contestRestMs, tries: 0 });
  }

  /** Notes that say more than is left to be compared: what stays in them after a crash is compared once more. */
  #forgetSettled(): void {
    for (const [index, names] of this.#noted) {
      const isOld = [...names].some((name) => !this.#contests.has(name));
      if (isOld && !this.#writing.has(index)) {
        ignore(this.#write(index), this.#parts.log, "it was told");
      }
    }
  }

  async #write(index: number): Promise<void> {
    const before = this.#writing.get(index);
    const writing = (before ?? Promise.resolve()).then(() => this.#writeNow(index));
    this.#writing.set(index, writing);
    await writing;
    if (this.#writing.get(index) === writing) this.#writing.delete(index);
  }

  async #writeNow(index: number): Promise<void> {
    const { notes, log } = this.#parts;
    try {
      if (!this.#noted.has(index)) await this.load(index);
      const names = [...this.#contests.keys()].filter((name) => placeOf(name) === index);
      const noted = this.#noted.get(index) ?? new Set();
      if (names.length === noted.size && names.every((name) => noted.has(name))) return;
      const text = names.map((name) => `${name}\n`).join("");
      if (names.length === 0) await notes.removeMark(index, contestedMark);
      else await notes.writeMark(index, contestedMark, text);
      this.#noted.set(index, new Set(names));
    } catch (error) {
      log.notice("contest-not-noted", { storePath: index, why: describeError(error) });
    }
  }

  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  #end(name: string, contest: Contest, isSettled: boolean): void {
    // Versions of it may have met once more meanwhile.
    if (this.#contests.get(name) !== contest) return;
    contest.tries += 1;
    if (isSettled || contest.tries >= maxContestTries) this.#contests.delete(name);
    else contest.dueMs = this.#nowMs + contestRetryMs;
  }

  /** True once all members have what is here. First the version that stays comes here, then it goes to who has another one. */
  async #settle(name: string): Promise<boolean> {
    const { store, peers, absent } = this.#parts;
    for (const { files } of peers()) {
      const here = await this.#here(name);
      // It was deleted, or got another name, which everybody will hear of.
      if (here === undefined) return true;
      const there = await files.factsOf(name);
      if (there === undefined || isSame(here, there)) continue;
      await fetchCopy(store, [files], { name, timestamp: there.modifiedSeconds });
    }
    const here = await this.#here(name);
    if (here === undefined) return true;
    let settled = absent().length === 0;
    for (const { files } of peers()) {
      const there = await files.factsOf(name);
      if (there === undefined || isSame(here, there)) continue;
      // Looked at again: it may have been changed meanwhile.
      settled = false;
      await files.mend([{ action: "fetch", name, timestamp: here.modifiedSeconds }]);
    }
    return settled;
  }

  async #here(name: string): Promise<FileFacts | undefined> {
    try {
      return await this.#parts.store.facts(name, { computeCrc: true });
    } catch (error) {
      if (hasCode(error, "file-missing")) return undefined;
      throw error;
    }
  }
}

function isSame(one: FileFacts, other: FileFacts): boolean {
  const isOneVersion = one.modifiedSeconds === other.modifiedSeconds;
  return isOneVersion && one.sizeBytes === other.sizeBytes && one.crc32 === other.crc32;
}

/** The store path of an appender file; undefined for everything else. */
function placeOf(name: string): number | undefined {
  const place = parseRemoteFilename(name);
  if (decodeBase(place?.base ?? "")?.isAppender !== true) return undefined;
  return place?.storePathIndex;
}
