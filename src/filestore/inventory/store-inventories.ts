/** The store paths of a file store, as those see them who look at paths as a whole. Main thread. */
import { PathInventory } from "#filestore/inventory/path-inventory.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import type { PathIdentity } from "#filestore/worker/path-identity.ts";
import { request } from "#filestore/worker-messages.ts";

export class StoreInventories {
  readonly #paths: readonly ServedPath[];

  constructor(paths: readonly ServedPath[]) {
    this.#paths = paths;
  }

  /** Numbers of the store paths that are served just now. */
  get served(): readonly number[] {
    return this.#paths.filter(({ isServing }) => isServing).map(({ index }) => index);
  }

  /** Undefined where there is no such path. */
  of(storePathIndex: number): PathInventory | undefined {
    const client = this.#paths[storePathIndex]?.client;
    return client === undefined ? undefined : new PathInventory(client);
  }

  /** What the path was found to be when it was opened; undefined before that, and where nobody asked for it. */
  identityOf(storePathIndex: number): PathIdentity | undefined {
    return this.#paths[storePathIndex]?.client.identity;
  }

  /** How far looking at files again is there; undefined where none is in doubt. */
  recheckOf(storePathIndex: number): RecheckFacts | undefined {
    return this.#paths[storePathIndex]?.client.recheck;
  }

  /** What was lost there is back, or nobody has it. Rejects with `AppError<FileStoreErrorCode>`. */
  async settleRecheck(storePathIndex: number): Promise<void> {
    await this.#paths[storePathIndex]?.client.send({ kind: request.recheckSettled });
  }
}
