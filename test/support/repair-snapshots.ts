/** What a storage tells of its repairs while nothing was ever to be repaired. */
import type { RepairSnapshot } from "#storage/repair-part.ts";

export const noRepairs: RepairSnapshot = {
  comparison: {
    state: "waiting",
    rounds: 0,
    reason: undefined,
    storePath: undefined,
    peer: undefined,
    progressPercent: 0,
    files: 0,
    found: 0,
    repaired: 0,
    failed: 0,
    nameless: 0,
    lastEnded: 0,
    next: 0,
    lastProblem: undefined,
    repairedTotal: 0,
  },
  recoveries: [],
};
