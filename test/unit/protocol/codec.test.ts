import { expect, test } from "vitest";
import { releaseNumber, WireReader, WireWriter } from "#protocol/codec.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

test("integers are big-endian two's complement", () => {
  const writer = new WireWriter(1);
  writer.u8(0x1ff);
  writer.i32(-2);
  writer.i32(0xfffffffe);
  writer.i64(0x1_0000_0002);
  writer.i64(-1);
  writer.i64(2 ** 58);
  const expected = "ff fffffffe fffffffe 0000000100000002 ffffffffffffffff 0400000000000000";
  expect(writer.bytes().toString("hex")).toBe(expected.replaceAll(" ", ""));
  const reader = new WireReader(writer.bytes());
  expect([reader.u8(), reader.i32(), reader.i32()]).toEqual([255, -2, -2]);
  expect(reader.peekI64(8)).toBe(-1);
  expect([reader.i64(), reader.i64(), reader.i64()]).toEqual([2 ** 32 + 2, -1, 2 ** 58]);
  expect(reader.remaining).toBe(0);
});

test("i64 is exact to both ends of the exact numbers", () => {
  const numbers = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1, -(2 ** 32)];
  const writer = new WireWriter();
  for (const number of numbers) writer.i64(number);
  const reader = new WireReader(writer.bytes());
  expect(numbers.map(() => reader.i64())).toEqual(numbers);
});

test("texts fill their field with NUL and end at the first one", () => {
  const writer = new WireWriter();
  writer.paddedText("ü1", 6);
  writer.paddedText("full", 4);
  writer.raw(Buffer.from("ab\0garbage"));
  expect(writer.bytes().toString("latin1")).toBe("\xc3\xbc1\0\0\0fullab\0garbage");
  const reader = new WireReader(writer.bytes());
  expect([reader.paddedText(6), reader.paddedText(4), reader.paddedText(10)]).toEqual([
    "ü1",
    "full",
    "ab",
  ]);
});

test("a writer grows, and lengths can be written afterwards", () => {
  const writer = new WireWriter(16);
  writer.zeros(8);
  writer.text("x".repeat(1000));
  writer.patchI64(0, writer.length);
  expect(new WireReader(writer.bytes()).i64()).toBe(1008);
  expect(writer.bytes().subarray(8).toString()).toBe("x".repeat(1000));
});

test("a reader keeps to its part of the bytes", () => {
  const reader = new WireReader(new Uint8Array([1, 2, 3, 4]), 1, 3);
  expect([reader.position, reader.remaining, reader.u8()]).toEqual([1, 2, 2]);
  expect([...reader.rawView(1)]).toEqual([3]);
  expect(() => reader.u8()).toThrow(new ProtocolError("short", "1 bytes are missing"));
});

test("missing bytes are short, surplus bytes invalid", () => {
  const reader = new WireReader(Buffer.alloc(3));
  for (const read of [
    () => reader.i32(),
    () => reader.i64(),
    () => reader.text(4),
    () => reader.paddedText(4),
  ]) {
    expect(read).toThrow(expect.objectContaining({ reason: "short" }));
  }
  expect(() => reader.expectEnd()).toThrow(expect.objectContaining({ reason: "invalid" }));
});

test("releases compare as numbers", () => {
  expect(releaseNumber(6, 13, 1)).toBe(61301);
  expect(releaseNumber(5, 12, 0)).toBeLessThan(releaseNumber(6, 0, 0));
});
