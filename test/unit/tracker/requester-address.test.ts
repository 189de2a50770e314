import { expect, test } from "vitest";
import { addressFor, addressType } from "#tracker/requester-address.ts";

test("addresses are of four types", () => {
  const types = ["10.1.2.3", "172.16.0.1", "172.31.9.9", "172.32.0.1", "192.168.1.1", "59.1.2.3"];
  expect(types.map(addressType)).toEqual(["10", "172", "172", "outer", "192", "outer"]);
  expect([addressType("fe80::2"), addressType("192.167.1.1"), addressType("100.64.0.1")]).toEqual([
    "outer",
    "outer",
    "outer",
  ]);
});

test("the second address is for those of its own type, the first for everybody else", () => {
  const two = ["10.0.0.1", "59.1.2.3"];
  expect(addressFor(two, "10.0.0.7")).toBe("10.0.0.1");
  expect(addressFor(two, "192.168.0.7")).toBe("10.0.0.1");
  expect(addressFor(two, "8.8.8.8")).toBe("59.1.2.3");
  expect(addressFor(["10.0.0.1"], "8.8.8.8")).toBe("10.0.0.1");
});
