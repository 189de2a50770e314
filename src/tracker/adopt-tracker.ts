/**
 * Takes over what another tracker knows in place of our own knowledge (protocol §9.7). What only we know of the same storages is kept, and
 * the counter of trunk files never goes back. Pure but for `adoptImported`, which changes memory and state. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { Clock } from "#platform/clock.ts";
import { savedGroup } from "#tracker/group-record.ts";
import type { Registry } from "#tracker/registry.ts";
import { restoreGroups } from "#tracker/restore.ts";
import type { StateWriter } from "#tracker/state-writer.ts";
import type { StorageIdTable } from "#tracker/storage-identity.ts";
import { savedStorage } from "#tracker/storage-record.ts";
import type { ImportedTracker } from "#tracker/system-files-import.ts";
import type { SavedTracker } from "#tracker/tracker-state.ts";

export interface AdoptParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly writer: StateWriter;
  readonly storageIds: StorageIdTable | undefined;
}

export function adoptImported(parts: AdoptParts, { saved, problems }: ImportedTracker): void {
  const { registry, writer, log } = parts;
  for (const problem of problems) log.warn("tracker-data-left-out", { problem });
  const storages = registry.groups.flatMap((group) => group.storages);
  const own = { groups: registry.groups.map(savedGroup), storages: storages.map(savedStorage) };
  const merged = mergeSaved(own, saved);
  registry.clear(merged.changelog);
  restoreGroups(registry, merged, parts);
  writer.replaceAll(merged);
  log.notice("tracker-data-adopted", {
    groups: merged.groups.length,
    storages: merged.storages.length,
  });
}

/** The other one's groups and storages, with what its files do not tell and we know. */
export function mergeSaved(
  own: Pick<SavedTracker, "groups" | "storages">,
  other: SavedTracker,
): SavedTracker {
  return {
    ...other,
    groups: other.groups.map((group) => {
      const known = own.groups.find(({ name }) => name === group.name);
      if (known === undefined) return group;
      const currentTrunkFileId = Math.max(known.currentTrunkFileId, group.currentTrunkFileId);
      return { ...group, currentTrunkFileId };
    }),
    storages: other.storages.map((storage) => {
      const known = own.storages.find(
        ({ group, id }) => group === storage.group && id === storage.id,
      );
      if (known === undefined) return storage;
      const { storePaths } = known;
      return { ...storage, storePaths, speaksCairn: known.speaksCairn || storage.speaksCairn };
    }),
  };
}
