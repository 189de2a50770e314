import { expect, test } from "vitest";
import { needHex, needList, needNumber, needText } from "#disks/passport-fields.ts";

test("a field is as it should be, or damage that is named", () => {
  const fields = { text: "abc", number: 3, hex: "00ff", list: [1, 2] };
  expect(needText(fields, "text", { max: 3 })).toBe("abc");
  expect(needNumber(fields, "number", { from: 3, to: 3 })).toBe(3);
  expect([...needHex(fields, "hex", 2)]).toEqual([0, 255]);
  expect(needList(fields, "list", 2)).toEqual([1, 2]);
  for (const wrong of [
    () => needText(fields, "text", { max: 2 }),
    () => needText(fields, "number", { max: 2 }),
    () => needNumber(fields, "number", { from: 4, to: 9 }),
    () => needNumber(fields, "missing", { from: 0, to: 9 }),
    () => needHex(fields, "hex", 3),
    () => needHex({ hex: "00FF" }, "hex", 2),
    () => needList(fields, "list", 1),
    () => needList(fields, "text", 9),
  ]) {
    expect(wrong).toThrow("the disk's passport has no");
  }
});
