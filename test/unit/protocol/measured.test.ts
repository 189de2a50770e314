import { expect, test } from "vitest";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { u8 } from "#protocol/codecs.ts";
import { measured, measuredBytes, measuredText } from "#protocol/measured.ts";
import { body, decoded, encoded } from "../../support/wire-bytes.ts";

const codec = measured({ name: measuredText(1, 5), data: measuredBytes(0, 5) }, { fixed: u8 }, 8);

test("lengths come first, then the fixed fields, then what has those lengths", () => {
  const value = { name: "ab", data: Buffer.from("xyz"), fixed: 7 };
  const bytes = body({ i64: 2 }, { i64: 3 }, 7, "ab", "xyz");
  expect(encoded(codec, value)).toEqual(bytes);
  expect(decoded(codec, bytes)).toEqual(value);
});

test("a payload behind is left alone", () => {
  const reader = new WireReader(body({ i64: 1 }, { i64: 0 }, 7, "a", "payload"));
  codec.decode(reader, narrowAddresses);
  expect(reader.text(reader.remaining)).toBe("payload");
});

test("lengths are checked before they are believed", () => {
  for (const lengths of [
    [0, 1],
    [6, 1],
    [1, 6],
    [-1, 0],
    [1, -1],
    [5, 4],
    [2 ** 52, 0],
  ]) {
    const [first = 0, second = 0] = lengths;
    const bytes = body({ i64: first }, { i64: second }, 7, "abcdefghij");
    const refused = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });
    expect(() => decoded(codec, bytes), String(lengths)).toThrow(refused);
  }
  expect(() => encoded(codec, { name: "", data: Buffer.alloc(0), fixed: 1 })).toThrow("0 bytes");
});

test("what has not arrived yet is short", () => {
  const whole = body({ i64: 2 }, { i64: 3 }, 7, "ab", "xyz");
  for (let end = 0; end < whole.length; end += 1) {
    const short = expect.objectContaining({ name: "ProtocolError", reason: "short" });
    expect(() => decoded(codec, whole.subarray(0, end))).toThrow(short);
  }
});
