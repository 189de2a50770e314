import { expect, test } from "vitest";
import { diskKeyOf } from "#model/disk-facts.ts";

test("a key tells one plugging from the next, where the kernel counts them", () => {
  expect(diskKeyOf({ name: "sda", sequence: 7 })).toBe("sda#7");
  expect(diskKeyOf({ name: "sda", sequence: undefined })).toBe("sda");
});
