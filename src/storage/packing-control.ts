/**
 * How this storage packs small files just now: what the trackers say of the group decides (`protocol/peer/trunk-lease.ts`). Numbers of trunk
 * files go from a tracker to the store paths that want some, each to one path once. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { Packing } from "#filestore/packing.ts";
import { maxLeasedFiles, type PackingMode } from "#protocol/peer/trunk-lease.ts";
import { defaultTrunkParameters, type TrunkParameters } from "#storage/trunk-parameters.ts";

/** What this needs of the file store. */
export interface PackedStore {
  change(packing: Packing): void;
  give(storePathIndex: number, first: number, count: number): Promise<boolean>;
  giveAllAway(): void;
  onWanted: (storePathIndex: number, count: number) => void;
}

export interface PackingControlParts {
  readonly log: Log;
  readonly store: PackedStore;
  /** A tracker is to be asked for numbers soon. */
  readonly onWanted: () => void;
  readonly onModeChange: (mode: PackingMode, before: PackingMode) => void;
}

export interface Lease {
  readonly mode: PackingMode;
  readonly first: number;
  readonly count: number;
}

export class PackingControl {
  readonly #parts: PackingControlParts;
  /** By store path. */
  readonly #wanted = new Map<number, number>();
  /** Given by a tracker, and taken by no store path yet. */
  readonly #spare: { first: number; count: number }[] = [];
  #parameters: TrunkParameters = defaultTrunkParameters;
  /** What a tracker of ours that leads said; undefined before, and where trackers are C's. */
  #told: PackingMode | undefined;
  #mode: PackingMode = "off";
  #sent = "";

  constructor(parts: PackingControlParts) {
    this.#parts = parts;
    parts.store.onWanted = (index, count) => {
      this.#wanted.set(index, count);
      void this.#distribute().then(() => {
        if (this.wanted > 0) parts.onWanted();
      });
    };
  }

  get mode(): PackingMode {
    return this.#mode;
  }

  get parameters(): TrunkParameters {
    return this.#parameters;
  }

  /** How many numbers a tracker is to be asked for. */
  get wanted(): number {
    let count = 0;
    for (const each of this.#wanted.values()) count += each;
    return Math.min(count, maxLeasedFiles);
  }

  /** A tracker has told the cluster's settings. */
  learnParameters(parameters: TrunkParameters): void {
    this.#parameters = parameters;
    this.#apply();
  }

  /** A tracker of ours that leads has answered. */
  async learnLease(lease: Lease): Promise<void> {
    this.#told = lease.mode;
    this.#apply();
    if (lease.count > 0) this.#spare.push({ first: lease.first, count: lease.count });
    await this.#distribute();
  }

  /** Trackers that know nothing of leases lead: their settings alone count. */
  learnNoLeases(): void {
    this.#told = undefined;
    this.#apply();
  }

  /** Now and then: what became free in trunk files of our own is the trunk server's. */
  tidyUp(): void {
    if (this.#mode === "served") this.#parts.store.giveAllAway();
  }

  #apply(): void {
    const before = this.#mode;
    this.#mode = this.#told ?? this.#modeWithoutLeases();
    const { rules, deletesUnused } = this.#parameters;
    // The numbers of leased trunk files are not used again: a copy in which nothing stands would stay for ever.
    const removesUnused = this.#mode === "leased" || deletesUnused;
    const packing: Packing = { mode: this.#mode, ...rules, removesUnused };
    const sent = JSON.stringify(packing);
    if (sent !== this.#sent) {
      this.#sent = sent;
      this.#parts.store.change(packing);
    }
    if (this.#mode === before) return;
    if (this.#mode !== "leased") this.#wanted.clear();
    this.#parts.log.notice("packing-mode", { mode: this.#mode, before });
    this.#parts.onModeChange(this.#mode, before);
  }

  /** One of ours that has not answered yet may be about to lease: until then nothing is packed. */
  #modeWithoutLeases(): PackingMode {
    return this.#parameters.enabled && !this.#parameters.leases ? "served" : "off";
  }

  /** A path that is away wants nothing; it says so anew when it opens. */
  async #distribute(): Promise<void> {
    for (const index of [...this.#wanted.keys()]) {
      for (;;) {
        const wanted = this.#wanted.get(index) ?? 0;
        const [spare] = this.#spare;
        if (wanted === 0 || spare === undefined) break;
        const { first } = spare;
        const count = Math.min(wanted, spare.count);
        // All of it before the wait, so that neither numbers nor wishes are served twice.
        if (count === spare.count) this.#spare.shift();
        else this.#spare[0] = { first: first + count, count: spare.count - count };
        if (count === wanted) this.#wanted.delete(index);
        else this.#wanted.set(index, wanted - count);
        if (await this.#parts.store.give(index, first, count)) continue;
        this.#spare.push({ first, count });
        this.#wanted.delete(index);
      }
    }
  }
}
