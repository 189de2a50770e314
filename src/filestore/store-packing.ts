/**
 * What the store paths of a node are told about packing (protocol §4), and what they want: how to pack, and numbers for trunk files of their
 * own. A path that opens later, or again, is told what the others were. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { noPacking, type Packing, packingFields } from "#filestore/packing.ts";
import { type SlotSource, slotOfName } from "#filestore/slot-source.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { request } from "#filestore/worker-messages.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

/** What this needs of a store path. */
export interface PackingPath {
  readonly index: number;
  readonly isOnline: boolean;
  readonly client: {
    send(fields: RequestFields): Promise<{ readonly a: number; readonly b: number }>;
    onTrunkLeaseWanted: (count: number) => void;
  };
}

export class StorePacking {
  readonly #paths: readonly PackingPath[];
  readonly #log: Log;
  /** Paths whose settings and disk want packing. */
  readonly #packing = new Set<number>();
  #current: Packing = noPacking;
  #slots: SlotSource | undefined;
  /** A path wants so many numbers for trunk files: `give` it some when there are any. */
  onWanted: (storePathIndex: number, count: number) => void = () => {};

  constructor(paths: readonly PackingPath[], log: Log) {
    this.#paths = paths;
    this.#log = log;
    for (const { index, client } of paths) {
      client.onTrunkLeaseWanted = (count) => this.onWanted(index, count);
    }
  }

  get current(): Packing {
    return this.#current;
  }

  /** Where slots come from in the mode `served`. */
  set slots(source: SlotSource) {
    this.#slots = source;
  }

  /** For a new file on that path; undefined where none is wanted, or the path's worker decides by itself. */
  slotsFor(
    storePathIndex: number,
    file: { readonly length: number; readonly lengthIsEstimate?: boolean },
  ): SlotSource | undefined {
    if (this.#current.mode !== "served" || file.lengthIsEstimate === true) return undefined;
    const fits = file.length + trunkHeaderSize <= this.#current.slotMaxBytes;
    return fits && this.#packing.has(storePathIndex) ? this.#slots : undefined;
  }

  /** The file of that name is gone. */
  freed(name: string): void {
    if (this.#current.mode !== "served") return;
    const slot = slotOfName(name);
    if (slot !== undefined) this.#slots?.free(slot);
  }

  change(packing: Packing): void {
    this.#current = packing;
    for (const path of this.#paths) this.tell(path.index);
  }

  /** Tells one path, which has just opened, what holds. */
  tell(storePathIndex: number): void {
    const path = this.#paths[storePathIndex];
    // A worker packs nothing until it is told to.
    if (path === undefined || !path.isOnline || this.#current === noPacking) return;
    path.client.send({ kind: request.setPacking, ...packingFields(this.#current) }).then(
      ({ a }) => {
        if (a === 1) this.#packing.add(storePathIndex);
        else this.#packing.delete(storePathIndex);
      },
      (error: unknown) => {
        this.#log.warn("packing-not-set", { path: storePathIndex, why: describeError(error) });
      },
    );
  }

  /** Numbers `first` … `first + count − 1` belong to that path from now on; false where it is away, and they are not used up. */
  async give(storePathIndex: number, first: number, count: number): Promise<boolean> {
    const path = this.#paths[storePathIndex];
    if (path === undefined || !path.isOnline) return false;
    try {
      await path.client.send({ kind: request.trunkLease, a: first, b: count });
      return true;
    } catch (error) {
      // It may have them or not: numbers are plenty, and must not be given twice.
      this.#log.warn("trunk-lease-lost", { path: storePathIndex, why: describeError(error) });
      return true;
    }
  }
}
