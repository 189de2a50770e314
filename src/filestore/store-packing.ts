/**
 * What the store paths of a node are told about packing (protocol §4), and what they want: how to pack, and numbers for trunk files of their
 * own. A path that opens later, or again, is told what the others were. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { noPacking, type Packing, type PackingMode, packingFields } from "#filestore/packing.ts";
import { type SlotSource, slotOfName } from "#filestore/slot-source.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import { request } from "#filestore/worker-messages.ts";
import { type TrunkLocation, trunkHeaderSize } from "#model/trunk-location.ts";

/** A look at more of them would keep a disk that turns for seconds. */
export const maxSlotsLookedInto = 128;

/** What this needs of a store path. */
export interface PackingPath {
  readonly index: number;
  readonly isOnline: boolean;
  readonly client: {
    readonly blocks: {
      take(size: "large"): Promise<number>;
      give(block: number): void;
      view(block: number): Uint8Array;
    };
    send(
      fields: RequestFields,
    ): Promise<{ readonly a: number; readonly b: number; readonly blockLength: number }>;
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
  /** By path, while it gives its own space away. */
  readonly #giving = new Map<number, Promise<void>>();
  /** A path wants so many numbers for trunk files: `give` it some when there are any. */
  onWanted: (storePathIndex: number, count: number) => void = () => {};

  constructor(paths: readonly PackingPath[], log: Log) {
    this.#paths = paths;
    this.#log = log;
  }

  /** Follows a path that was put into the list; what holds, it is told when it has opened. */
  serve({ index, client }: PackingPath): void {
    this.#packing.delete(index);
    client.onTrunkLeaseWanted = (count) => this.onWanted(index, count);
  }

  get current(): Packing {
    return this.#current;
  }

  /** How small files are stored on that path just now. */
  modeOf(storePathIndex: number): PackingMode {
    return this.#packing.has(storePathIndex) ? this.#current.mode : "off";
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
    const slots = this.#slots;
    if (slot === undefined || slots === undefined) return;
    // Its trunk file may be one of our own from before: it must be given up before somebody is given the slot.
    void this.#giveAway(slot.storePathIndex).then(() => slots.free(slot));
  }

  /** Gives what is free in our own trunk files to who divides those of the group now. To be called now and then in that mode. */
  giveAllAway(): void {
    for (const { index } of this.#paths) void this.#giveAway(index);
  }

  /** Never rejects. */
  #giveAway(storePathIndex: number): Promise<void> {
    const running = this.#giving.get(storePathIndex);
    if (running !== undefined) return running;
    const giving = this.#giveAll(storePathIndex).finally(() => this.#giving.delete(storePathIndex));
    this.#giving.set(storePathIndex, giving);
    return giving;
  }

  async #giveAll(storePathIndex: number): Promise<void> {
    const path = this.#paths[storePathIndex];
    const slots = this.#slots;
    if (path?.isOnline !== true || slots === undefined || !this.#packing.has(storePathIndex))
      return;
    const { client } = path;
    try {
      const block = await client.blocks.take("large");
      try {
        while (this.#current.mode === "served" && slots.isReady) {
          const given = await client.send({ kind: request.trunkGive, block });
          if (given.a === 0) return;
          const lines = client.blocks.view(block).subarray(0, given.blockLength);
          for (const location of locationsOf(lines)) await slots.free(location);
        }
      } finally {
        client.blocks.give(block);
      }
    } catch (error) {
      this.#log.warn("trunk-space-not-given", { path: storePathIndex, why: describeError(error) });
    }
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
        if (this.#current.mode === "served") void this.#giveAway(storePathIndex);
      },
      (error: unknown) => {
        this.#log.warn("packing-not-set", { path: storePathIndex, why: describeError(error) });
      },
    );
  }

  /**
   * The worker of that path looks through its own trunk files, to find out what is free in them; resolves to which rebuild that is as soon
   * as it has begun. Rejects with `store-path-offline` where there is no such path or it is away, and with what the worker refuses it for.
   */
  async rebuild(storePathIndex: number): Promise<number> {
    const path = this.#paths[storePathIndex];
    if (path?.isOnline !== true) {
      throw fileStoreError("store-path-offline", `there is no store path ${storePathIndex} online`);
    }
    return (await path.client.send({ kind: request.trunkRebuild })).a;
  }

  /** Those of these slots, of one store path and at most `maxSlotsLookedInto`, in which a file stands. Rejects where the path is away. */
  async slotsInUse(slots: readonly TrunkLocation[]): Promise<readonly TrunkLocation[]> {
    const path = this.#paths[slots[0]?.storePathIndex ?? -1];
    if (path?.isOnline !== true) {
      throw fileStoreError("store-path-offline", "the store path of these slots is away");
    }
    const { blocks } = path.client;
    const block = await blocks.take("large");
    try {
      const text = Buffer.from(slots.map((slot) => trunkLogLine("free", 0, slot)).join(""));
      blocks.view(block).set(text);
      const fields = { kind: request.slotsInUse, block, blockLength: text.length };
      const found = await path.client.send(fields);
      return locationsOf(blocks.view(block).subarray(0, found.blockLength));
    } finally {
      blocks.give(block);
    }
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

function locationsOf(lines: Uint8Array): readonly TrunkLocation[] {
  const locations: TrunkLocation[] = [];
  new TrunkLogReplay(({ location }) => locations.push(location)).add(lines);
  return locations;
}
