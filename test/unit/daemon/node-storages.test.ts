import { expect, test } from "vitest";
import type { NodeStorage } from "#daemon/compose.ts";
import { nodeStorages } from "#daemon/node-storages.ts";

test("a node is no storage, one, or two halves", () => {
  const [store, storage] = [{}, {}] as unknown as [NodeStorage["store"], NodeStorage["storage"]];
  const second = { half: "second", store, storage } as const;
  const none = { store: undefined, storage: undefined };
  expect(nodeStorages({ ...none, mirror: undefined })).toEqual([]);
  expect(nodeStorages({ store, storage })).toEqual([{ half: undefined, store, storage }]);
  const halves = nodeStorages({ store, storage, mirror: second });
  expect(halves.map(({ half }) => half)).toEqual(["first", "second"]);
});
