import { expect, test } from "vitest";
import { responseAddressWidth } from "#tracker/tracker-settings.ts";

test("auto takes wide addresses only where IPv6 is in use, a given width stays", () => {
  const widths = (["auto", "16", "46"] as const).flatMap((responseAddressSize) => [
    responseAddressWidth({ responseAddressSize }, false),
    responseAddressWidth({ responseAddressSize }, true),
  ]);
  expect(widths).toEqual([16, 46, 16, 16, 46, 46]);
});
