/** Does what a peer found to be wrong here: fetches files from it, and removes what was deleted. */
import { AppError } from "#base/app-error.ts";
import type { InventoryRepair } from "#protocol/peer/inventory.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import type { FileSourcePeer, RepairedStore } from "#sync/anti-entropy/peer-file.ts";
import { inLanes } from "#sync/lanes.ts";

/** Answers for each repair, as errno values. */
export const mendStatus = { done: 0, missing: 2, failed: 5, already: 17, damaged: 74 } as const;

/** A status for each repair, in their order; never rejects for one of them. */
export async function mendFrom(
  store: Pick<RepairedStore, "storeReplica" | "removeReplica">,
  peer: FileSourcePeer,
  how: { readonly repairs: readonly InventoryRepair[]; readonly lanes: number },
): Promise<readonly number[]> {
  const statuses: number[] = how.repairs.map(() => mendStatus.failed);
  await inLanes(how.repairs.entries(), how.lanes, async ([at, repair]) => {
    statuses[at] = await mendOne(store, peer, repair);
  });
  return statuses;
}

async function mendOne(
  store: Pick<RepairedStore, "storeReplica" | "removeReplica">,
  peer: FileSourcePeer,
  { action, name, timestamp }: InventoryRepair,
): Promise<number> {
  try {
    if (action === "remove") {
      const outcome = await store.removeReplica({ name, timestamp });
      return outcome === "done" ? mendStatus.done : mendStatus.already;
    }
    const { outcome } = await fetchCopy(store, [peer], { name, timestamp });
    if (outcome === "missing") return mendStatus.missing;
    return outcome === "stored" ? mendStatus.done : mendStatus.already;
  } catch (error) {
    const isDamaged = error instanceof AppError && error.code === "content-damaged";
    return isDamaged ? mendStatus.damaged : mendStatus.failed;
  }
}
