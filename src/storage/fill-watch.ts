/**
 * Whether a new member waits any longer for the storage that fills it. Trackers choose once and go by that until the chosen one is deleted
 * (protocol §6.4), so that a box which died while it filled another one would keep that one out of service for ever. Told often; counts by
 * the monotonic clock, and only while the leading tracker is heard and nothing comes in: what a tracker calls away may still send. A source
 * that is there and sends nothing may have been removed and have come back, as a new member itself: trackers are asked. Pure but for what it
 * remembers.
 */
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { isAvailable, type Peer } from "#storage/peer-directory.ts";
import type { OwnState } from "#storage/storage-status-machine.ts";
import { askAgainMs } from "#sync/limits.ts";

export interface FillCondition {
  readonly own: OwnState;
  /** All members but us. */
  readonly peers: readonly Peer[];
  readonly hearsLeader: boolean;
  /** Grows with each change that a peer sends. */
  readonly changes: number;
}

/** `doubt`: trackers should be asked whether the source still is one. `give-up`: another one is to take its place. */
export type FillVerdict = "wait" | "doubt" | "give-up";

export class FillWatch {
  readonly #patienceMs: number;
  #awaySinceMs: number | undefined;
  #quietSinceMs: number | undefined;
  #changes = 0;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Says once that the source has been away for too long and another one could take its place, or was quiet; counts anew then. */
  look(condition: FillCondition, nowMs: number): FillVerdict {
    const { own, peers, hearsLeader, changes } = condition;
    const comesIn = changes !== this.#changes;
    this.#changes = changes;
    const waits = hearsLeader && !comesIn && isBeingFilled(own);
    const source = peers.find(({ id }) => id === own.source);
    const isThere = source !== undefined && isAvailable(source.status);
    this.#awaySinceMs = !waits || isThere ? undefined : (this.#awaySinceMs ?? nowMs);
    this.#quietSinceMs = waits ? (this.#quietSinceMs ?? nowMs) : undefined;
    if (nowMs - (this.#awaySinceMs ?? nowMs) >= this.#patienceMs && hasSubstitute(own, peers)) {
      this.#awaySinceMs = undefined;
      return "give-up";
    }
    if (nowMs - (this.#quietSinceMs ?? nowMs) < askAgainMs) return "wait";
    this.#quietSinceMs = undefined;
    return "doubt";
  }
}

function isBeingFilled({ status, source, filled }: OwnState): boolean {
  const { waitSync, syncing } = storageStatus;
  return !filled && source !== undefined && (status === waitSync || status === syncing);
}

/** Somebody whom a tracker would choose in place of the source: ACTIVE, and taking files. */
export function hasSubstitute(own: OwnState, peers: readonly Peer[]): boolean {
  return peers.some(
    ({ id, status, mode }) =>
      id !== own.source && status === storageStatus.active && (mode & readWriteMode.write) !== 0,
  );
}
