/**
 * A new packed file: its slot is written before the record, and the record makes it a file. There is nothing to rename, and no directory
 * to flush; both reach stable storage together, and a start after a crash takes back the record of a slot that is not whole. Worker
 * thread.
 */
import { linkRecord, recordLine } from "#filestore/binlog/entry.ts";
import type { ClaimedSlot, PackedFiles, SlotRegion } from "#filestore/trunk/packed-files.ts";
import type { RunChange, SlotRun } from "#filestore/trunk/slot-runs.ts";
import type { LentDescriptor } from "#filestore/trunk/trunk-descriptors.ts";
import { type BatchStager, StagedChange } from "#filestore/worker/changes/staged-change.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface PackedCreation {
  readonly claim: ClaimedSlot;
  /** Undefined where the slot is written already. */
  readonly run: SlotRun | undefined;
  /** The trunk file, open until this change ends. */
  readonly lent: LentDescriptor;
  /** The logical name. */
  readonly name: string;
  /** Unix seconds, as in the name. */
  readonly timestamp: number;
  /** See `StagedChange.namedMs`; a peer's have none. */
  readonly namedMs?: number;
  /** A peer made it first: the name is known to others; what it and its slot are locked by. */
  readonly keys?: { readonly name: string; readonly slot: string };
  /** Undefined, for a file, where it is not a link to another name. */
  readonly target?: string;
}

export class PackedCreate extends StagedChange implements RunChange {
  readonly run: SlotRun | undefined;
  readonly #packed: PackedFiles;
  readonly #creation: PackedCreation;
  #ended = false;

  constructor(packed: PackedFiles, creation: PackedCreation) {
    const { name, timestamp, keys, target } = creation;
    const of = { timestamp, replica: keys !== undefined };
    super({
      // Nobody else can have a new name, or know it: there is nothing to keep away.
      key: keys?.name ?? "",
      ...(keys === undefined ? {} : { secondKey: keys.slot }),
      lines: target === undefined ? recordLine("create", of, name) : linkRecord(of, name, target),
      doing: `store ${name}`,
      made: keys === undefined ? name : "",
      namedMs: creation.namedMs,
    });
    this.#packed = packed;
    this.#creation = creation;
    this.run = creation.run;
  }

  override get stager(): BatchStager | undefined {
    return this.run === undefined ? undefined : this.#packed.runs;
  }

  override contentTargets(): readonly FlushTarget[] {
    const { path, descriptor } = this.#creation.lent;
    return [{ kind: "file", path, descriptor }];
  }

  /** Header and CRC-32 say whether the slot is whole (`packed-recovery.ts`). */
  override get bytesCheckedAtStart(): number | undefined {
    return this.#creation.target === undefined ? this.#creation.claim.slot.size : undefined;
  }

  override get slotWritten(): SlotRegion | undefined {
    const { claim, target } = this.#creation;
    const { path, slot } = claim;
    return target === undefined ? { ...slot, path } : undefined;
  }

  override discard(): void {
    if (this.#ended) return;
    const { claim } = this.#creation;
    if (this.run !== undefined) this.#packed.runs.settle(this.run);
    this.#packed.giveBack(claim, true);
    this.#end();
  }

  apply(): void {}

  /** Never asked for: nothing in `apply` can fail. */
  amends(): string {
    return "";
  }

  override cleanUp(): void {
    this.#end();
  }

  override succeed(): void {
    this.#packed.committed(this.#creation.claim);
    super.succeed();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#packed.descriptors.giveBack(this.#creation.lent);
  }
}
