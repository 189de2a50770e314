/**
 * The system files as one other tracker copies them (commands 61 to 63, protocol §2.5): taken at START, so that all parts fit
 * together, and held by one at a time. A tracker that stops without END loses its hold after a while. Main thread.
 */
import type { Clock } from "#platform/clock.ts";
import { maxSystemFilePart } from "#protocol/fastdfs/tracker-cluster.ts";
import { maxGlanceAgeMs, maxSystemFileHoldMs } from "#tracker/limits.ts";

/** The files' bytes in the order of their index. */
export type SystemFileHold = readonly Uint8Array[];

export class SystemFileDesk {
  readonly #clock: Clock;
  readonly #collect: () => SystemFileHold;
  #current: { readonly hold: SystemFileHold; usedAtMs: number } | undefined;

  #glance: { readonly hold: SystemFileHold; readonly takenAtMs: number } | undefined;

  /** `collect` makes the files of what the tracker knows now. */
  constructor(clock: Clock, collect: () => SystemFileHold) {
    this.#clock = clock;
    this.#collect = collect;
  }

  /** Undefined while somebody else copies. */
  open(): SystemFileHold | undefined {
    const now = this.#clock.monotonicMs();
    const current = this.#current;
    if (current !== undefined && now - current.usedAtMs < maxSystemFileHoldMs) return undefined;
    const hold = this.#collect();
    this.#current = { hold, usedAtMs: now };
    return hold;
  }

  close(hold: SystemFileHold): void {
    if (this.#current?.hold === hold) this.#current = undefined;
  }

  /** Part of a file from `offset` on; undefined when there is no such file or place. */
  part(
    hold: SystemFileHold,
    fileIndex: number,
    offset: number,
  ): { readonly fileSize: number; readonly content: Uint8Array } | undefined {
    if (this.#current?.hold === hold) this.#current.usedAtMs = this.#clock.monotonicMs();
    const file = hold[fileIndex];
    if (file === undefined || offset > file.length) return undefined;
    const content = file.subarray(offset, offset + maxSystemFilePart);
    return { fileSize: file.length, content };
  }

  /** As everything is now. */
  fresh(): SystemFileHold {
    return this.#collect();
  }

  /** For those who ask for parts without START; taken anew now and then only. */
  glance(): SystemFileHold {
    const now = this.#clock.monotonicMs();
    if (this.#glance === undefined || now - this.#glance.takenAtMs > maxGlanceAgeMs) {
      this.#glance = { hold: this.#collect(), takenAtMs: now };
    }
    return this.#glance.hold;
  }
}
