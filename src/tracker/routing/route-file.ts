/**
 * Which storage serves or changes a file that exists. Pure; round robin's place is passed in and out.
 *
 * A storage of ours says up to which name time of each source it has everything (`StorageView.held`): it may serve what is below that, and
 * its own files, whatever any clock says. Storages of C, which do not tell, are judged by the original's rule (protocol §6.7). Where
 * nobody surely has the file, storages of ours come first, since they fetch what they lack.
 */
import type { NameFacts } from "#tracker/routing/name-facts.ts";
import type { GroupView, StorageView } from "#tracker/routing/views.ts";

export interface FetchRules {
  readonly downloadServer: "round-robin" | "source";
  /** Seconds after which a file is taken to be everywhere. Only for storages of C, as what follows. */
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
  file: Pick<NameFacts, "sourceKey" | "timestamp"> & { readonly isSource: boolean },
  rules: FetchRules,
): boolean {
  const { timestamp, sourceKey } = file;
  if (file.isSource) return true;
  if (storage.held !== undefined) return (storage.held.get(sourceKey) ?? 0) > timestamp;
  if (timestamp < rules.now - rules.maxDelaySeconds) return true;
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
      if (mayServe(storage, { ...file, isSource: storage === source }, rules)) {
        return { storage, next: (at + 1) % count };
      }
    }
  }
  const [guess] = guesses(route);
  return guess === undefined ? undefined : { storage: guess, next: current };
}

/** Every storage to read from, by id; where nobody surely has the file, those that may, the likeliest first. */
export function routeFetchAll<Storage extends StorageView>(
  route: FileRoute<Storage>,
  rules: FetchRules,
): readonly Storage[] {
  const { readable } = route.group;
  const { file, source } = route;
  const found = readable.filter((storage) => {
    const isSource = storage === source;
    return file.isNormal ? mayServe(storage, { ...file, isSource }, rules) : isSource;
  });
  return found.length > 0 ? found : guesses(route);
}

/** The storage that is to change the file: its source, or who is likeliest to have it. Undefined: anybody who takes uploads. */
export function routeUpdate<Storage extends StorageView>(
  route: FileRoute<Storage>,
): Storage | undefined {
  const { writable } = route.group;
  const { source } = route;
  if (source !== undefined && writable.includes(source)) return source;
  return likeliest(writable, route.file)[0];
}

function guesses<Storage extends StorageView>(route: FileRoute<Storage>): readonly Storage[] {
  const { storeServer, group } = route;
  const ours = likeliest(group.readable, route.file);
  if (storeServer === undefined || !group.readable.includes(storeServer)) return ours;
  return ours.includes(storeServer) ? ours : [...ours, storeServer];
}

/** Storages of ours, who holds most of the file's source first. */
function likeliest<Storage extends StorageView>(
  storages: readonly Storage[],
  file: NameFacts,
): readonly Storage[] {
  const held = (storage: Storage): number => storage.held?.get(file.sourceKey) ?? 0;
  return storages
    .filter((storage) => storage.held !== undefined)
    .sort((one, other) => held(other) - held(one));
}
