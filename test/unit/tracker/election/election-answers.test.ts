import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { electionAnswers } from "#tracker/election/election-answers.ts";
import { savedGroup } from "#tracker/group-record.ts";
import { formatSystemFiles } from "#tracker/system-files.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { addStorage, groupOf, registryHarness } from "../../../support/tracker-registry.ts";

function stage() {
  const harness = registryHarness();
  addStorage(harness.registry, "10.0.0.1");
  const answers = electionAnswers(() => harness as unknown as TrackerCore);
  return { ...harness, answers, group: groupOf(harness.registry) };
}

test("the leader's trunk servers are taken over, of groups that we know", () => {
  const { answers, group, state } = stage();
  const trunkServer = StorageId("10.0.0.1");
  answers.onTrunkServers([
    { group: GroupName("group1"), trunkServer },
    { group: GroupName("group9"), trunkServer },
  ]);
  expect(group.trunkServer).toBe(trunkServer);
  expect(state.saves.at(-1)?.changes.groups.map(({ name }) => name)).toEqual(["group1"]);
});

test("the leader's counters of trunk files are taken over where they are greater, and saved at once", () => {
  const { answers, group, state } = stage();
  const file = (currentTrunkFileId: number): string => {
    const groups = [{ ...savedGroup(group), currentTrunkFileId }];
    const [text] = formatSystemFiles(
      { groups, storages: [] },
      { withIds: false, changelogStart: 0, changelog: "" },
    );
    return Buffer.from(text ?? []).toString();
  };
  const before = state.saves.length;
  answers.onGroupsFile(file(70));
  const saved = state.saves.length;
  answers.onGroupsFile(file(60));
  answers.onGroupsFile("no such file");
  expect([group.currentTrunkFileId, saved - before, state.saves.length - saved]).toEqual([
    70, 1, 0,
  ]);
  expect(state.saves.at(-1)?.durability).toBe("flushed");
});
