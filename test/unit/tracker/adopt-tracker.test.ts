import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { adoptImported, mergeSaved } from "#tracker/adopt-tracker.ts";
import { savedGroup } from "#tracker/group-record.ts";
import { savedStorage } from "#tracker/storage-record.ts";
import type { SavedTracker } from "#tracker/tracker-state.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

/** What a tracker with these storages would give. */
function knowledge(...addresses: readonly string[]): SavedTracker {
  const { registry } = registryHarness();
  const storages = addresses.map((address) => addStorage(registry, address));
  const group = { ...savedGroup(groupOf(registry)), currentTrunkFileId: 50 };
  const times = { upTime: 0, lastCheckTime: 0 };
  return { groups: [group], storages: storages.map(savedStorage), changelog: [], times };
}

test("what the other's files do not tell, and we know, is kept; a counter never goes back", () => {
  const storePaths = [{ totalMb: 10, freeMb: 5 }];
  const other = knowledge("10.0.0.1", "10.0.0.2");
  const own = knowledge("10.0.0.1", "10.0.0.3");
  const merged = mergeSaved(
    {
      groups: own.groups.map((group) => ({ ...group, currentTrunkFileId: 70 })),
      storages: own.storages.map((storage) => ({ ...storage, storePaths, speaksCairn: true })),
    },
    other,
  );
  expect(merged.groups.map(({ currentTrunkFileId }) => currentTrunkFileId)).toEqual([70]);
  expect(
    merged.storages.map(({ id, storePaths: paths, speaksCairn }) => [id, paths, speaksCairn]),
  ).toEqual([
    ["10.0.0.1", storePaths, true],
    ["10.0.0.2", [], false],
  ]);
});

test("memory and state are the other's afterwards, and whoever was active is away until it joins", () => {
  const harness = registryHarness();
  const { registry, state, writer } = harness;
  addStorage(registry, "10.0.0.3");
  const line = { position: 0, text: "1 group1 10.0.0.3 4 \n" };
  const saved = { ...knowledge("10.0.0.1"), changelog: [line] };
  adoptImported({ ...harness, storageIds: undefined }, { saved, problems: ["a section"] });
  const { storages } = groupOf(registry);
  expect(storages.map(({ id, status }) => [id, status])).toEqual([
    ["10.0.0.1", storageStatus.offline],
  ]);
  expect(registry.changelog.text()).toBe(line.text);
  expect(state.saves.at(-1)?.changes.storages.map(({ id }) => id)).toEqual(["10.0.0.1"]);
  // Nothing of what was before waits to be written.
  const { length } = state.saves;
  writer.flush();
  expect(state.saves.length).toBe(length);
  state.broken = true;
  adoptImported({ ...harness, storageIds: undefined }, { saved, problems: [] });
  expect(writer.failures).toBe(1);
});
