/** The declarations of packing's operations. */
import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import { packingOperations, rebuildPacking } from "#control/operations/packing.ts";

test("a rebuild is an operator's, of one store path or of all", () => {
  expect(Object.values(packingOperations).map(({ name }) => name)).toEqual(["packing.rebuild"]);
  expect(rebuildPacking).toMatchObject({ access: "operator", effect: "change" });
  const read = (input: unknown) =>
    readShape(rebuildPacking.input, input, { what: "input", surplus: "refuse" });
  expect(read({})).toEqual({});
  expect(read({ storePath: 3, half: "second" })).toEqual({ storePath: 3, half: "second" });
  expect(() => read({ half: "third" })).toThrow("input.half");
  expect(() => read({ storePath: 256 })).toThrow("input.storePath");
  expect(() => read({ path: 1 })).toThrow("input");
});
