/** What a store path's worker tells of its scrub, as JSON over the ring. Pure data. */
import type { DamagedRegion, Finding, ScrubTally } from "#filestore/scrub/findings.ts";

/**
 * `found`: it is in its place, and what becomes of it is not decided. `aside`: it has left its place, and is to be had from a peer. `lost`:
 * no peer has it. `kept`: it is in its place, for there is no room to set it aside.
 */
export type DamagedState = "found" | "aside" | "lost" | "kept";

export interface DamagedFile extends Pick<Finding, "place" | "damage" | "sizeBytes" | "crc32"> {
  readonly state: DamagedState;
  /** Unix seconds. */
  readonly since: number;
  readonly region: DamagedRegion | undefined;
}

export interface ScrubReport {
  /** `waiting`: something of the machine is in its way, and it tries again. */
  readonly state: "idle" | "running" | "paused" | "waiting";
  readonly begunAt: number;
  readonly endedAt: number;
  readonly directoriesDone: number;
  readonly directoriesTotal: number;
  readonly activeMs: number;
  readonly tally: ScrubTally;
  /** Not healed yet; at most as many as fit into an answer. */
  readonly damaged: readonly DamagedFile[];
  readonly damagedTotal: number;
  /** Since the path was opened. */
  readonly healed: number;
  readonly problem: string | undefined;
}

export const scrubOrders = ["start", "pause", "resume", "stop"] as const;
export type ScrubOrder = (typeof scrubOrders)[number];

export interface ScrubPaceSettings {
  /** Bytes a second at most; 0: as fast as the disk. */
  readonly rateBytes: number;
  /** Of the time, in percent, that is used while others wait for the disk. */
  readonly busyShare: number;
}

/**
 * What a second look at a damaged file says: `well`, as it should be; `aside`, it was set aside now; `mended`, its content is as it should be, and its header is again; `kept`, it could not be; `busy`, it is
 * being changed; `missing`, it is not in its place; `strange`, something else is, which is left alone.
 */
export const judgements = [
  ...(["well", "aside", "kept", "busy", "missing", "strange", "mended"] as const),
] as const;
export type Judgement = (typeof judgements)[number];

/** `found`: somebody else met it, and it is to be looked at. `healed` and `dropped` end it. */
export const settlements = ["found", "healed", "dropped", "lost", "aside"] as const;
export type Settlement = (typeof settlements)[number];
