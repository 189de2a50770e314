import { expect, test } from "vitest";
import { isDummySerial, knownBridge, knownBridges } from "#disks/probe/bridges.ts";

test("a bridge is known by its two numbers, a maker of disks by the first", () => {
  expect(knownBridge("152d", "0578")?.name).toBe("JMicron JMS578");
  expect(knownBridge("1058", "25a2")).toMatchObject({ name: "Western Digital" });
  expect(knownBridge("152d", "ffff")).toBeUndefined();
  const numbers = knownBridges.map(({ vendorId, productId }) => `${vendorId}:${productId ?? ""}`);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.filter((each) => !/^[0-9a-f]{4}:(?:[0-9a-f]{4})?$/.test(each))).toEqual([]);
});

test.each([
  ...["000000000000", "0000000000000001", "0123456789ABCDEF", "123456789012"],
  ...["DD56419883891", "DD564198838EB", "FFFFFFFFFFFF", "00000000000F", "1", "ABCDEF012345"],
  ...["MSFT30", "RANDOM__1234", "fedcba987654"],
])("%s numbers no disk", (serial) => {
  expect(isDummySerial(serial)).toBe(true);
});

test.each([
  "WD-WCC7K1234567",
  "S5GXNX0T123456",
  "575834314131",
  "7A3B9912F0C4",
  "ZA1B2C3D",
])("%s may number one", (serial) => {
  expect(isDummySerial(serial)).toBe(false);
});
