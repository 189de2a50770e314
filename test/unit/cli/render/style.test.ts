/** Colours, for those who want them. */
import { expect, test } from "vitest";
import { styleFor } from "#cli/render/style.ts";

test("colours go to terminals whose owner has not declined them", () => {
  expect(styleFor(true, {}).bad("x")).toBe("\u001b[31mx\u001b[0m");
  expect(styleFor(true, { NO_COLOR: "" }).bad("x")).not.toBe("x");
  const without = [
    styleFor(false, {}),
    styleFor(true, { NO_COLOR: "1" }),
    styleFor(true, { TERM: "dumb" }),
  ];
  for (const style of without) {
    expect([style.bold("x"), style.dim("x"), style.good("x"), style.warning("x")]).toEqual(
      Array.from({ length: 4 }, () => "x"),
    );
  }
});
