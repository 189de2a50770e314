/**
 * A new packed file: its slot is written before the record, and the record makes it a file. There is nothing to rename, and no directory
 * to flush; both reach stable storage together, and a start after a crash takes back the record of a slot that is not whole. Worker
 * thread.
 */
import { sourceLine } from "#filestore/binlog/entry.ts";
import type { ClaimedSlot, PackedFiles } from "#filestore/trunk/packed-files.ts";
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
}

export class PackedCreate extends StagedChange implements RunChange {
  readonly run: SlotRun | undefined;
  readonly #packed: PackedFiles;
  readonly #creation: PackedCreation;
  #ended = false;

  constructor(packed: PackedFiles, creation: PackedCreation) {
    const { name, timestamp } = creation;
    super({
      // Nobody else can have this name, or know it: there is nothing to keep away.
      key: "",
      lines: sourceLine("create", timestamp, name),
      doing: `store ${name}`,
      made: name,
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
  override get bytesCheckedAtStart(): number {
    return this.#creation.claim.slot.size;
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
