/** A store path on its way from one disk of the node to another, as it is remembered. Types and limits only. */
import type { DiskId } from "#model/disk-id.ts";

/** What for. After `retire` the source stays as it was; after `rebalance` what is left there is deleted. */
export type MovePurpose = "retire" | "rebalance";

/**
 * `waiting`: others are moved first. `copying`: served from the source, without new files. `switching`: taken from the clients, the rest is
 * copied. `committing`: the target's passport may say already that it has the path. `cleaning`: it is served from the target.
 */
export type MovePhase =
  | "waiting"
  | "copying"
  | "switching"
  | "committing"
  | "cleaning"
  | "done"
  | "cancelled";

export const movePhases: readonly MovePhase[] = [
  ...(["waiting", "copying", "switching", "committing", "cleaning", "done", "cancelled"] as const),
];

export interface StorePathMove {
  readonly storePath: number;
  readonly source: DiskId;
  readonly target: DiskId;
  readonly purpose: MovePurpose;
  readonly phase: MovePhase;
  /** Why it does not go on, or did not when it was tried last. */
  readonly problem: string | undefined;
  /** What cannot be read is left behind; peers have it, or nobody. */
  readonly leavesUnreadable: boolean;
  /** Places of files that the source's disk did not give, or gave with another content than their names say. */
  readonly unreadable: readonly string[];
  /** Unix seconds. */
  readonly begunAt: number;
  readonly endedAt: number | undefined;
}

/** Of a file that could not be copied; further ones are counted as one more. */
export const maxUnreadable = 1000;

/** It has not come to its end. */
export function isUnderWay({ phase }: Pick<StorePathMove, "phase">): boolean {
  return phase !== "done" && phase !== "cancelled";
}

/** New files go elsewhere. */
export function takesNoFiles({ phase }: Pick<StorePathMove, "phase">): boolean {
  return isUnderWay({ phase }) && phase !== "cleaning";
}
