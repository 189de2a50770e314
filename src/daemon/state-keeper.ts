/**
 * Keeps copies of what makes the node itself on its disks, one each on two of them where there are two: the system card holds nothing that
 * they lack for longer than a minute. Written by the workers of their store paths, as a whole or not at all, and only when something has
 * changed that is not told anew by itself: a node at rest writes nothing. A disk that sleeps gets its copy when it is awake for another
 * reason, or after a day. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { formatStateCopy, maxStateBytes, stateCopyFilename } from "#disks/state-copy.ts";
import type { DiskFile } from "#filestore/disk-file.ts";
import type { DiskId } from "#model/disk-id.ts";
import type { NodeId } from "#model/node-id.ts";
import { type Clock, delay, nowSeconds, type Timer } from "#platform/clock.ts";
import type { Database, Statement } from "#platform/databases.ts";
import { StateEssence } from "#state/state-essence-table.ts";

const periodMs = 60_000;
/** After the start, and whenever a disk came: the first copies are not far. */
const soonMs = 2000;
const copies = 2;
/** A disk that sleeps on is woken then. */
const overdueMs = 24 * 3600_000;
/** At the end, for a disk that does not answer. */
const endLimitMs = 5000;

export interface StateKeeperParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly database: Database;
  readonly nodeId: NodeId;
  /** The text of the identity's file. */
  readonly identity: string;
  /** Disks that a copy can be written to, in the order in which they are taken. */
  readonly carriers: () => readonly { readonly diskId: DiskId; readonly storePathIndex: number }[];
  readonly write: (storePathIndex: number, file: DiskFile) => Promise<void>;
  /** False while the disk sleeps, or may. */
  readonly mayWrite: (storePathIndex: number) => boolean;
}

/** Of all, and of what matters. */
interface StateStamp {
  readonly changes: number;
  readonly essence: string;
}

interface Carrier {
  readonly diskId: DiskId;
  readonly storePathIndex: number;
}

type Row = { readonly sequence: number };

export class StateKeeper {
  readonly #parts: StateKeeperParts;
  readonly #read: Statement<Row>;
  readonly #count: Statement;
  #timers: readonly Timer[] = [];
  readonly #essence: StateEssence;
  /** What the state was like when a disk got its last copy. */
  readonly #written = new Map<DiskId, StateStamp>();
  /** Since when disks lack something; undefined where none does. */
  #owedMs: number | undefined;
  #looked: StateStamp = { changes: -1, essence: "" };
  #running: Promise<void> | undefined;
  #dueMs = 0;
  #copiedTo = "";

  constructor(parts: StateKeeperParts) {
    this.#parts = parts;
    const { database } = parts;
    this.#essence = new StateEssence(database);
    this.#read = database.prepare<Row>("SELECT sequence FROM state_copies");
    this.#count = database.prepare("UPDATE state_copies SET sequence = ?");
  }

  start(): void {
    const { clock } = this.#parts;
    this.#dueMs = clock.monotonicMs() + soonMs;
    this.#timers = [
      clock.every(soonMs, () => {
        // A disk that has just come should not be without one for a minute.
        if (clock.monotonicMs() < this.#dueMs && this.#disks() === this.#copiedTo) return;
        ignore(this.keep(), this.#parts.log, "the next round writes it");
      }),
    ];
  }

  /** Writes the last copies, in bounded time. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#running;
    const ended = new AbortController();
    const limit = delay(this.#parts.clock, endLimitMs, ended.signal).catch(() => undefined);
    await Promise.race([this.#keep(true), limit]);
    ended.abort();
  }

  /** Writes copies where something has changed since the last ones. Never rejects. */
  keep(): Promise<void> {
    this.#running ??= this.#keep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** `isLast`: also to disks that sleep, and what only counts. */
  async #keep(isLast = false): Promise<void> {
    const { clock, mayWrite } = this.#parts;
    const { changes, essence } = this.#stamp();
    const lacking = this.#carriers.filter(({ diskId }) => {
      const last = this.#written.get(diskId);
      return isLast ? last?.changes !== changes : last?.essence !== essence;
    });
    if (lacking.length === 0) {
      this.#owedMs = undefined;
      return;
    }
    const nowMs = clock.monotonicMs();
    this.#owedMs ??= nowMs;
    const isOverdue = isLast || nowMs - this.#owedMs >= overdueMs;
    const to = lacking.filter(({ storePathIndex }) => isOverdue || mayWrite(storePathIndex));
    if (to.length === 0) return;
    this.#dueMs = nowMs + periodMs;
    this.#copiedTo = this.#disks();
    const sequence = (this.#read.get()?.sequence ?? 0) + 1;
    this.#count.run(sequence);
    const stamp = this.#stamp();
    const bytes = this.#copy(sequence);
    if (bytes !== undefined) await this.#write(to, { bytes, stamp });
  }

  async #write(
    to: readonly Carrier[],
    { bytes, stamp }: { readonly bytes: Uint8Array; readonly stamp: StateStamp },
  ): Promise<void> {
    for (const { diskId, storePathIndex } of to) {
      try {
        await this.#parts.write(storePathIndex, { name: stateCopyFilename, bytes });
        this.#written.set(diskId, stamp);
      } catch (error) {
        this.#parts.log.warn("state-not-copied", { disk: diskId, why: describeError(error) });
      }
    }
  }

  get #carriers(): readonly Carrier[] {
    return this.#parts.carriers().slice(0, copies);
  }

  #disks(): string {
    return this.#carriers.map(({ diskId }) => diskId).join(" ");
  }

  /** What matters is looked at only where anything changed. */
  #stamp(): StateStamp {
    const { changes } = this.#parts.database;
    if (this.#looked.changes !== changes) {
      this.#looked = { changes, essence: this.#essence.read() };
    }
    return this.#looked;
  }

  #copy(sequence: number): Uint8Array | undefined {
    const { database, identity, nodeId, clock, log } = this.#parts;
    const state = database.serialize();
    if (state.length > maxStateBytes) {
      log.error("state-too-large", { bytes: state.length, limit: maxStateBytes });
      return undefined;
    }
    return formatStateCopy({ nodeId, sequence, writtenAt: nowSeconds(clock), identity, state });
  }
}
