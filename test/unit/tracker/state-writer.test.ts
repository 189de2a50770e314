import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

const { offline } = storageStatus;

test("membership is written flushed, statistics relaxed, and each change once", () => {
  const { registry, writer, state } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  expect(writer.urgent).toBe(true);
  writer.flush();
  expect(writer.urgent).toBe(false);
  writer.storageChanged(storage, "statistics");
  expect(writer.urgent).toBe(false);
  writer.flush();
  writer.flush();
  expect(
    state.saves.map(({ durability, changes }) => [
      durability,
      changes.groups.length,
      changes.storages.length,
    ]),
  ).toEqual([
    ["flushed", 1, 1],
    ["relaxed", 0, 1],
  ]);
});

test("what is gone is taken out of the state", () => {
  const { registry, writer, state } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1", { status: offline });
  registry.delete(storage);
  writer.flush();
  const changes = state.saves.at(-1)?.changes;
  expect(changes?.storages).toEqual([]);
  expect(changes?.removedStorages).toEqual([{ group: "group1", id: "10.0.0.1" }]);
  expect(changes?.changelog.length).toBe(1);
});

test("a write that fails is reported, and what it carried waits for the next one", () => {
  const { registry, writer, state, records } = registryHarness();
  addStorage(registry, "10.0.0.1");
  state.broken = true;
  writer.flush();
  expect([writer.failures, writer.urgent]).toEqual([1, false]);
  expect(records.at(-1)?.event).toBe("state-not-saved");
  state.broken = false;
  writer.flush();
  const changes = state.saves.at(-1)?.changes;
  expect([changes?.groups.length, changes?.storages.length]).toEqual([1, 1]);
});

test("the times are written when they changed", () => {
  const { writer, state } = registryHarness();
  writer.flush();
  writer.timesChanged({ upTime: 1, lastCheckTime: 2 });
  writer.flush();
  expect(state.saves.map(({ changes }) => changes.times)).toEqual([
    { upTime: 1, lastCheckTime: 2 },
  ]);
});

test("a removed group is not written again", () => {
  const { registry, writer, state } = registryHarness();
  const group = groupOf(registry);
  registry.removeGroup(group);
  writer.flush();
  expect(state.saves.at(-1)?.changes).toMatchObject({ groups: [], removedGroups: ["group1"] });
});
