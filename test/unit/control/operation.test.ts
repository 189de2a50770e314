/** Who may do what. */
import { expect, test } from "vitest";
import { suffices } from "#control/operation.ts";

test("each access includes those below it", () => {
  const all = ["viewer", "operator", "owner"] as const;
  const allowed = all.map((has) => all.filter((needed) => suffices(has, needed)));
  expect(allowed).toEqual([["viewer"], ["viewer", "operator"], ["viewer", "operator", "owner"]]);
});
