/** The declarations of the operations on disks. */
import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import { listDisks } from "#control/operations/disks.ts";

test("looking at disks is a viewer's, and changes nothing", () => {
  expect(listDisks).toMatchObject({ name: "disks.list", access: "viewer", effect: "read" });
  const read = (input: unknown) =>
    readShape(listDisks.input, input, { what: "input", surplus: "refuse" });
  expect(read({})).toEqual({});
  expect(read({ refresh: true })).toEqual({ refresh: true });
  expect(() => read({ refresh: 1 })).toThrow("input.refresh");
});
