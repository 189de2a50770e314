/** What the running node tells, and does when asked, about what it has in common with its peers. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { peerOperations } from "#control/operations/peers.ts";
import type { NodeStatus } from "#control/operations/system.ts";
import type { RunningStorage } from "#storage/storage-role.ts";

type Storage = Pick<RunningStorage, "compare"> & {
  snapshot(): Pick<ReturnType<RunningStorage["snapshot"]>, "repair">;
};

/** `storages` of this node: none where it has no such role, the halves of a mirror. */
export function peerHandlers(
  storages: () => readonly Storage[],
): OperationHandlers<typeof peerOperations> {
  return {
    verifyPeers: () => {
      const [first, second] = storages();
      if (first === undefined) {
        throw controlError("input-invalid", "this node stores no files: ask a storage");
      }
      return { ...begin(first), mirror: second === undefined ? undefined : begin(second) };
    },
  };
}

function begin(storage: Storage): { readonly started: boolean; readonly round: number } {
  const { state, rounds } = storage.snapshot().repair.comparison;
  const started = state === "waiting";
  storage.compare();
  return { started, round: rounds + (started ? 1 : 2) };
}

/** For the node's status. */
export function repairStatus(
  storage: Pick<Storage, "snapshot"> | undefined,
): Pick<NodeStatus, "comparison" | "recoveries"> {
  if (storage === undefined) return { comparison: undefined, recoveries: [] };
  const { comparison, recoveries } = storage.snapshot().repair;
  const { lastProblem, reason: _reason, repairedTotal: _total, ...counts } = comparison;
  return {
    comparison: { ...counts, problem: lastProblem },
    recoveries: recoveries.map(({ filesTotal, remainingSeconds, ...each }) => ({
      ...each,
      filesTotal: filesTotal === 0 ? undefined : filesTotal,
      bytesPerSecond: Math.round(each.bytesPerSecond),
      remainingSeconds: remainingSeconds === undefined ? undefined : Math.ceil(remainingSeconds),
      problem: each.lastProblem,
    })),
  };
}

/** What somebody should know of it, in words. */
export function repairProblems({
  comparison,
  recoveries,
}: ReturnType<typeof repairStatus>): string[] {
  const problems = (recoveries ?? [])
    .filter(({ state }) => state !== "done")
    .map(({ storePath, files, filesTotal, state }) => {
      const of = filesTotal === undefined ? "" : ` of ${filesTotal}`;
      const why =
        state === "waiting" ? "; no other storage of the group can be asked just now" : "";
      return `Store path ${storePath} came back empty and is filled from the other storages: ${files}${of} files so far${why}. Files that are not here yet are read from there.`;
    });
  if ((comparison?.failed ?? 0) > 0) {
    problems.push(
      `${comparison?.failed} files differ from those of another storage and could not be repaired (${comparison?.problem ?? "see the log"}).`,
    );
  }
  return problems;
}
