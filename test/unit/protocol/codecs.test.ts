import { expect, test } from "vitest";
import { narrowAddresses, WireReader, WireWriter } from "#protocol/codec.ts";
import {
  constantLength,
  counted,
  drained,
  flag,
  headerStatus,
  i8,
  i32,
  i64,
  list,
  optionalTail,
  ranged,
  refined,
  restBytes,
  restText,
  restTextToNul,
  since,
  size,
  struct,
  text,
  u8,
  u32,
  until,
} from "#protocol/codecs.ts";
import { body, decoded, encoded } from "../../support/wire-bytes.ts";

const invalid = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });
const short = expect.objectContaining({ name: "ProtocolError", reason: "short" });

test("numbers of one, four and eight bytes", () => {
  expect(decoded(i8, body(0xff))).toBe(-1);
  expect(decoded(u8, body(0xff))).toBe(255);
  expect(decoded(u32, body({ i32: -1 }))).toBe(0xffffffff);
  expect(encoded(u32, 0xfffffffe)).toEqual(body({ i32: -2 }));
  expect(encoded(i8, -2)).toEqual(body(0xfe));
  expect(decoded(i64, body({ i64: -5 }))).toBe(-5);
  expect([decoded(flag, body(0)), decoded(flag, body(7))]).toEqual([false, true]);
});

test("a size is not negative", () => {
  expect(decoded(size, body({ i64: 2 ** 40 }))).toBe(2 ** 40);
  expect(() => decoded(size, body({ i64: -1 }))).toThrow(invalid);
});

test("a text fits its field, or is no message of ours", () => {
  expect(encoded(text(4), "abcd")).toEqual(body("abcd"));
  expect(() => encoded(text(4), "abcde")).toThrow(invalid);
  expect(() => encoded(text(3), "üü")).toThrow(invalid);
});

test("the rest of a body is text or bytes within limits", () => {
  expect(decoded(restText(1, 3), body("abc"))).toBe("abc");
  expect(() => decoded(restText(1, 3), body("abcd"))).toThrow(invalid);
  expect(() => decoded(restText(1, 3), body(""))).toThrow(invalid);
  expect(() => encoded(restText(1, 3), "")).toThrow(invalid);
  expect(decoded(restTextToNul(true), body("ab\0c"))).toBe("ab");
  expect(encoded(restTextToNul(true), "ab")).toEqual(body("ab\0"));
  expect(() => decoded(restBytes(1), body())).toThrow(invalid);
});

test("bytes are copied out of what was received", () => {
  const received = body("abc");
  const bytes = decoded(restBytes(), received);
  received.fill(0);
  expect(Buffer.from(bytes).toString()).toBe("abc");
});

test("a struct is its fields in order, a list repeats up to the end", () => {
  const pair = struct({ first: u8, second: i32 });
  const bytes = body(1, { i32: 2 }, 3, { i32: 4 });
  const values = [
    { first: 1, second: 2 },
    { first: 3, second: 4 },
  ];
  expect(decoded(list(pair), bytes)).toEqual(values);
  expect(encoded(list(pair), values)).toEqual(bytes);
  expect(() => decoded(list(pair), body(1, { i32: 2 }, 3))).toThrow(short);
});

test("lists keep their limits in both directions", () => {
  const some = list(u8, { min: 1, max: 2 });
  expect(decoded(some, body(1, 2))).toEqual([1, 2]);
  for (const bytes of [body(), body(1, 2, 3)]) expect(() => decoded(some, bytes)).toThrow(invalid);
  expect(() => encoded(some, [])).toThrow(invalid);
});

test("a list of empty items cannot go on for ever", () => {
  expect(() => decoded(list(struct({})), body(1))).toThrow(invalid);
});

test("an announced number is refused before anything is made of it", () => {
  const numbers = counted(i32, u8, 1000);
  expect(decoded(numbers, body({ i32: 2 }, 7, 8))).toEqual([7, 8]);
  expect(() => decoded(numbers, body({ i32: 0x7fffffff }, 7))).toThrow(invalid);
  expect(() => decoded(numbers, body({ i32: -1 }))).toThrow(invalid);
  expect(() => decoded(numbers, body({ i32: 3 }, 7))).toThrow(short);
});

test("a tail is there or not", () => {
  const codec = struct({ first: u8, tail: optionalTail(u8) });
  expect(decoded(codec, body(1))).toEqual({ first: 1, tail: undefined });
  expect(decoded(codec, body(1, 2))).toEqual({ first: 1, tail: 2 });
  expect(encoded(codec, { first: 1, tail: undefined })).toEqual(body(1));
});

test("fields come and go with releases", () => {
  const codec = struct({ old: until(61300, u8, 9), common: u8, fresh: since(61301, u8, 8) });
  const at = (release: number) => ({ ...narrowAddresses, release });
  expect(decoded(codec, body(1, 2), at(61200))).toEqual({ old: 1, common: 2, fresh: 8 });
  expect(decoded(codec, body(2), at(61300))).toEqual({ old: 9, common: 2, fresh: 8 });
  expect(decoded(codec, body(2, 3), at(61301))).toEqual({ old: 9, common: 2, fresh: 3 });
  expect(decoded(codec, body(2, 3))).toEqual({ old: 9, common: 2, fresh: 3 });
  expect(encoded(codec, { old: 1, common: 2, fresh: 3 }, at(61200))).toEqual(body(1, 2));
});

test("a constant length is insisted on", () => {
  const codec = constantLength(2, restText());
  expect(decoded(codec, body("ab"))).toBe("ab");
  expect(() => decoded(codec, body("a"))).toThrow(invalid);
  expect(() => encoded(codec, "abc")).toThrow(invalid);
});

test("numbers out of range and values without meaning are invalid", () => {
  expect(() => decoded(ranged(u8, 1, 3), body(4))).toThrow(invalid);
  expect(decoded(ranged(u8, 1, 3), body(3))).toBe(3);
  const even = refined(u8, {
    what: "an even number",
    parse: (raw) => (raw % 2 === 0 ? raw / 2 : undefined),
    format: (value: number) => value * 2,
  });
  expect([decoded(even, body(6)), encoded(even, 3)]).toEqual([3, body(6)]);
  expect(() => decoded(even, body(7))).toThrow("7 is not an even number");
});

test("the header's status belongs to a request without a byte of the body", () => {
  const codec = struct({ headerStatus, value: u8 });
  const context = { ...narrowAddresses, requestStatus: 17 };
  expect(decoded(codec, body(1), context)).toEqual({ headerStatus: 17, value: 1 });
  expect(decoded(codec, body(1))).toEqual({ headerStatus: 0, value: 1 });
  expect(encoded(codec, { headerStatus: 17, value: 1 })).toEqual(body(1));
});

test("an echoed body is dropped", () => {
  const reader = new WireReader(body("echo"));
  expect(drained.decode(reader, narrowAddresses)).toBeUndefined();
  expect(reader.remaining).toBe(0);
  const writer = new WireWriter();
  drained.encode(undefined, writer, narrowAddresses);
  expect(writer.length).toBe(0);
});
