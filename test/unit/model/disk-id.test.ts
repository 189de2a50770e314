import { expect, test } from "vitest";
import { DiskId, isDiskId } from "#model/disk-id.ts";

test("the id of a disk is 32 small hexadecimal digits", () => {
  const text = "0123456789abcdef0123456789abcdef";
  expect(DiskId(text)).toBe(text);
  for (const wrong of ["", text.slice(1), `${text}0`, text.toUpperCase(), text.replace("a", "g")]) {
    expect(isDiskId(wrong)).toBe(false);
    expect(() => DiskId(wrong)).toThrow("is not the id of a disk");
  }
});
