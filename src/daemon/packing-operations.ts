/** What the running node does about its trunk files when an operator asks for it. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { packingOperations, StartedRebuild } from "#control/operations/packing.ts";
import type { HalfName } from "#daemon/storage-halves.ts";
import type { StorePathReport } from "#filestore/file-store.ts";

/** What this needs of a file store, and which half of a mirror it is. */
export interface RebuildableStorage {
  readonly half: HalfName | undefined;
  readonly store: {
    readonly paths: readonly Pick<StorePathReport, "index" | "trunkFiles">[];
    readonly packing: { rebuild(storePathIndex: number): Promise<number> };
  };
}

/** `storages` of this node: none where it has no such role. */
export function packingHandlers(
  storages: () => readonly RebuildableStorage[],
): OperationHandlers<typeof packingOperations> {
  return {
    rebuildPacking: async ({ storePath, half: wanted }) => {
      const all = storages();
      if (all.length === 0) {
        throw controlError("input-invalid", "this node stores no files: ask a storage");
      }
      const asked = all.filter(({ half }) => wanted === undefined || half === wanted);
      if (asked.length === 0) {
        throw controlError("input-invalid", "this node is no mirror: leave out which half");
      }
      const found = asked.flatMap(({ half, store }) =>
        store.paths
          .filter(({ index, trunkFiles }) =>
            storePath === undefined ? trunkFiles !== undefined : index === storePath,
          )
          .map(({ index }) => ({ half, store, index })),
      );
      if (storePath !== undefined && found.length === 0) {
        throw controlError("input-invalid", `there is no store path ${storePath}`);
      }
      const started: StartedRebuild[] = [];
      for (const { half, store, index } of found) {
        started.push({ half, storePath: index, rebuild: await store.packing.rebuild(index) });
      }
      return { started };
    },
  };
}
