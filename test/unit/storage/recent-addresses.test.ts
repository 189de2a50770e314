import { expect, test } from "vitest";
import { RecentAddresses } from "#storage/recent-addresses.ts";

test("for a new address the one that came first is forgotten; coming again counts", () => {
  const recent = new RecentAddresses(2);
  expect(recent.has("a")).toBe(false);
  for (const address of ["a", "b", "a", "c"]) recent.add(address);
  expect(["a", "b", "c"].map((address) => recent.has(address))).toEqual([true, false, true]);
});
