/** Which storage serves or changes a file that exists (protocol §6.7). Pure; round robin's place is passed in and out. */
import type { NameFacts } from "#tracker/routing/name-facts.ts";
import type { GroupView, StorageView } from "#tracker/routing/views.ts";

export interface FetchRules {
  readonly downloadServer: "round-robin" | "source";
  /** Seconds after which a file is taken to be everywhere. */
  readonly maxDelaySeconds: number;
  /** Seconds that copying one file is taken to need at most. */
  readonly maxTimeSeconds: number;
  /** Unix seconds. */
  readonly now: number;
}

export interface FileRoute<Storage extends StorageView> {
  readonly group: GroupView<Storage>;
  readonly file: NameFacts;
  /** The storage that took the upload, if it is known; it need not be readable. */
  readonly source: Storage | undefined;
  /** Stands in where nobody else is found. */
  readonly storeServer: Storage | undefined;
}

export interface ChosenReader<Storage> {
  readonly storage: Storage;
  /** Index from which round robin goes on. */
  readonly next: number;
}

/** True when `storage` has the file, as far as we know. Only for files which were written once. */
export function mayServe(
  storage: StorageView,
  file: { readonly timestamp: number; readonly isSource: boolean },
  rules: FetchRules,
): boolean {
  const { timestamp } = file;
  if (file.isSource || timestamp < rules.now - rules.maxDelaySeconds) return true;
  if (storage.lastSyncedTimestamp > timestamp) return true;
  const settled = rules.now - timestamp > rules.maxTimeSeconds;
  return storage.lastSyncedTimestamp + 1 >= timestamp && settled;
}

/** One storage to read from, or undefined. `current` is the group's read index; it may be beyond the list. */
export function routeFetch<Storage extends StorageView>(
  route: FileRoute<Storage>,
  current: number,
  rules: FetchRules,
): ChosenReader<Storage> | undefined {
  const { readable } = route.group;
  const { file, source } = route;
  if (rules.downloadServer === "source" || !file.isNormal) {
    if (source !== undefined && readable.includes(source))
      return { storage: source, next: current };
  }
  if (file.isNormal) {
    const count = readable.length;
    const start = current < count ? current : 0;
    for (let step = 0; step < count; step += 1) {
      const at = (start + step) % count;
      const storage = readable[at] as Storage;
      const isSource = storage === source;
      if (mayServe(storage, { timestamp: file.timestamp, isSource }, rules)) {
        return { storage, next: (at + 1) % count };
      }
    }
  }
  const fallback = readableStoreServer(route);
  return fallback === undefined ? undefined : { storage: fallback, next: current };
}

/** Every storage to read from, by id. */
export function routeFetchAll<Storage extends StorageView>(
  route: FileRoute<Storage>,
  rules: FetchRules,
): readonly Storage[] {
  const { readable } = route.group;
  const { file, source } = route;
  const found = file.isNormal
    ? readable.filter((storage) =>
        mayServe(storage, { timestamp: file.timestamp, isSource: storage === source }, rules),
      )
    : readable.filter((storage) => storage === source);
  if (found.length > 0) return found;
  const fallback = readableStoreServer(route);
  return fallback === undefined ? [] : [fallback];
}

/** True when the source itself is to change the file; otherwise another one is chosen as for an upload. */
export function sourceTakesUpdates<Storage extends StorageView>(
  route: FileRoute<Storage>,
): boolean {
  return route.source !== undefined && route.group.writable.includes(route.source);
}

function readableStoreServer<Storage extends StorageView>(
  route: FileRoute<Storage>,
): Storage | undefined {
  const { storeServer, group } = route;
  return storeServer !== undefined && group.readable.includes(storeServer)
    ? storeServer
    : undefined;
}
