import { expect, test } from "vitest";
import { endlessLength, headerSize, readLength, writeHeader } from "#protocol/header.ts";

test("a header is a length, a command and a status", () => {
  const bytes = new Uint8Array(headerSize + 2);
  writeHeader(bytes, 1, { length: 0x1_0000_0028, command: 101, status: 22 });
  expect(Buffer.from(bytes).toString("hex")).toBe("00000000010000002865160".padEnd(24, "0"));
  expect(readLength(bytes, 1)).toBe(0x1_0000_0028);
});

test("lengths are read up to the mark of an endless reply, and below zero", () => {
  const bytes = new Uint8Array(headerSize);
  for (const length of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1, endlessLength]) {
    writeHeader(bytes, 0, { length, command: 100, status: 0 });
    expect(readLength(bytes, 0)).toBe(length);
  }
  expect(readLength(Buffer.from("ffffffffffffffff", "hex"), 0)).toBe(-1);
});
