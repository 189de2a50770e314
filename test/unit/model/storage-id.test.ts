import { expect, test } from "vitest";
import { isStorageId, numericStorageId, StorageId } from "#model/storage-id.ts";

test("numbers, IPv4 texts and short codes are storage ids", () => {
  for (const text of ["1", "16777215", "192.168.100.200", "7iM0dwAAAAA."]) {
    expect(StorageId(text)).toBe(text);
  }
});

test("what does not fit the field, or could leave a file name, is refused", () => {
  const bad = ["", "1234567890123456", "10 0", "a/b", "a\0", "ü", "\x7f"];
  for (const text of bad) expect(isStorageId(text), text).toBe(false);
  expect(() => StorageId("")).toThrow("is not a storage id");
});

test("only a decimal number of the range, without sign and leading zeros, is numeric", () => {
  expect(numericStorageId("1")).toBe(1);
  expect(numericStorageId("16777215")).toBe(0xffffff);
  const others = [
    "",
    "0",
    "01",
    "-1",
    "+1",
    "1.0",
    "16777216",
    "99999999",
    "100000000",
    "10.9.0.2",
  ];
  for (const text of others) expect(numericStorageId(text), text).toBeUndefined();
});
