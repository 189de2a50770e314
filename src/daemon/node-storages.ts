/** The storages of a running node: none, one, or the two halves of a mirror. What is asked of the node is asked of each of them. Pure. */
import type { NodeStorage, RunningNode } from "#daemon/compose.ts";

export function nodeStorages(
  node: Pick<RunningNode, "store" | "storage" | "mirror">,
): readonly NodeStorage[] {
  const { store, storage, mirror } = node;
  if (store === undefined || storage === undefined) return [];
  if (mirror === undefined) return [{ half: undefined, store, storage }];
  return [{ half: "first", store, storage }, mirror];
}
