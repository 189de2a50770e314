/**
 * Receives a range of an appender file that a peer appended or overwrote (protocol §2.7/25, 35). Where it does not fit what is here, it is
 * dropped, and the answer says why. The name is locked from the begin. Worker thread.
 */
import { RecordChange } from "#filestore/worker/changes/record-change.ts";
import { SpliceChange } from "#filestore/worker/changes/splice-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { Comparison } from "#filestore/worker/replicas/replica-content.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";
import type { FileStat } from "#platform/files.ts";

export interface RangeTarget {
  readonly kind: "append" | "modify";
  readonly place: FilePlace;
  readonly offset: number;
  readonly lengthBytes: number;
  /** Unix seconds, of the change at its source. */
  readonly timestamp: number;
  /** See `ReplicaRange`. */
  readonly versioned?: boolean | undefined;
  readonly goesOn?: boolean | undefined;
}

/** How a range fits a file; undefined where it is to be written. `isSame`: its bytes are there. */
export function rangeOutcome(
  stat: FileStat | undefined,
  { kind, offset, lengthBytes, timestamp, versioned = false, goesOn = false }: RangeTarget,
  isSame = false,
): "already" | "missing" | "differs" | undefined {
  if (stat === undefined) return "missing";
  if (stat.kind !== "file") return "already";
  const { sizeBytes, modifiedSeconds } = stat;
  // Bytes can come before the change that made them, with an earlier one that is sent again: only with its time they keep that one out.
  const isKnown = kind === "append" || modifiedSeconds >= timestamp;
  if (versioned && isSame && isKnown) return "already";
  // Where the size stays each change of a file has a second of its own: another one of that second was made without this one.
  const isRival = modifiedSeconds === timestamp && sizeBytes >= offset + lengthBytes && !goesOn;
  // What is here was changed after that; an append to it is still one.
  const isLater = versioned && kind === "modify" && (modifiedSeconds > timestamp || isRival);
  const fits = kind === "append" ? sizeBytes === offset : sizeBytes >= offset && !isLater;
  if (fits) return undefined;
  return !versioned && sizeBytes >= offset + lengthBytes ? "already" : "differs";
}

export class ReplicaRangeWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #target: RangeTarget;
  readonly #stat: FileStat | undefined;
  /** With what is in the place of it, where all of that is there. */
  readonly #comparison: Comparison | undefined;
  readonly body: StagedBody;
  #finished = false;

  constructor(store: StorePath, target: RangeTarget, stat: FileStat | undefined) {
    this.#store = store;
    this.#target = target;
    this.#stat = stat;
    this.body = new StagedBody(store);
    this.#comparison = this.#compared();
    store.locks.add(lockKey(target.place.name));
  }

  write(bytes: Uint8Array): void {
    const comparison = this.#comparison;
    if (comparison !== undefined) onDisk("compare a range", () => comparison.next(bytes));
    if (rangeOutcome(this.#stat, this.#target) === undefined) this.body.write(bytes);
  }

  finish(): StagedChange {
    const { kind, place, offset } = this.#target;
    const isSame = this.#comparison?.isSame === true;
    const outcome = rangeOutcome(this.#stat, this.#target, isSame);
    this.#comparison?.close();
    const { received: length } = this.body;
    const stat = this.#stat;
    if (outcome !== undefined || stat === undefined || length === 0) {
      this.#finished = true;
      this.body.drop();
      const key = lockKey(place.name);
      return new RecordChange(this.#store, { key, lines: "", outcome: outcome ?? "" });
    }
    const staged = this.body.take();
    this.#finished = true;
    const { sizeBytes: oldSize, modifiedSeconds } = stat;
    // It may come after a later change; then the time is that one's.
    const before = this.#target.versioned === true ? modifiedSeconds : 0;
    const timestamp = Math.max(this.#target.timestamp, before);
    const splice = { kind, place, staged, offset, length, oldSize, modifiedSeconds, timestamp };
    return new SpliceChange(this.#store, { ...splice, replica: true });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#comparison?.close();
    this.body.drop();
    this.#store.locks.delete(lockKey(this.#target.place.name));
  }

  #compared(): Comparison | undefined {
    const { place, offset, lengthBytes, versioned = false } = this.#target;
    const { files } = this.#store;
    if (!versioned || this.#stat?.kind !== "file" || lengthBytes === 0) return undefined;
    if (this.#stat.sizeBytes < offset + lengthBytes) return undefined;
    const descriptor = onDisk(`compare ${place.name}`, () => files.open(place.path, "read"));
    return new Comparison(this.#store, descriptor, offset);
  }
}
