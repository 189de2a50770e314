/** Which storage of a group takes an upload (protocol §9.2). Pure; `writable` is sorted by id. */
import type { StorageView } from "#tracker/routing/views.ts";

export type ServerRule = "round-robin" | "first" | "priority";

export interface ChosenServer<Storage> {
  readonly storage: Storage;
  /** Index from which round robin goes on. */
  readonly next: number;
}

/** Undefined where no storage takes uploads. `current` may be beyond the list. */
export function chooseServer<Storage extends StorageView>(
  writable: readonly Storage[],
  current: number,
  rule: ServerRule,
): ChosenServer<Storage> | undefined {
  if (rule !== "round-robin" || writable.length === 1) {
    const storage = storeServer(writable, rule);
    return storage === undefined ? undefined : { storage, next: current };
  }
  const at = current < writable.length ? current : 0;
  const storage = writable[at];
  return storage === undefined ? undefined : { storage, next: (at + 1) % writable.length };
}

/** The one storage that stands for its group: the first by id, or the one with the lowest priority number. */
export function storeServer<Storage extends StorageView>(
  writable: readonly Storage[],
  rule: ServerRule,
): Storage | undefined {
  let best = writable[0];
  if (best === undefined || rule !== "priority") return best;
  for (const storage of writable) {
    if (storage.uploadPriority < best.uploadPriority) best = storage;
  }
  return best;
}

/** Trunk files want one storage to take the uploads as long as it lives. */
export function effectiveServerRule(rule: ServerRule, trunkEnabled: boolean): ServerRule {
  return trunkEnabled && rule === "round-robin" ? "first" : rule;
}
