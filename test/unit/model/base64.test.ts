import fc from "fast-check";
import { expect, test } from "vitest";
import { base64Word, encodeThreeWords, encodeTwoWords, isBase64 } from "#model/base64.ts";

const word = fc.nat(0xffffffff);

function bytesOf(...words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [at, value] of words.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}

test("words are written as RFC 4648 writes their bytes", () => {
  const property = fc.property(word, word, word, (first, second, third) => {
    const all = bytesOf(first, second, third).toString("base64url");
    expect(encodeThreeWords(first, second, third)).toBe(all);
    expect(encodeTwoWords(first, second)).toBe(bytesOf(first, second).toString("base64url"));
  });
  fc.assert(property, { numRuns: 500 });
});

test("words are read wherever they begin", () => {
  const property = fc.property(fc.array(word, { minLength: 5, maxLength: 5 }), (words) => {
    const text = `xx${bytesOf(...words).toString("base64url")}`;
    expect(words.map((_word, index) => base64Word(text, 2, index))).toEqual(words);
  });
  fc.assert(property, { numRuns: 500 });
});

test("characters outside of the alphabet, and texts too short, are noticed", () => {
  expect(isBase64("AZaz09-_", 0, 8)).toBe(true);
  expect(isBase64("xAZ.", 1, 2)).toBe(true);
  for (const text of ["AZ.", "AZ+", "AZ/", "AZ=", "AZ ", "AZü", "AZ\0", "AZ", "AZ\ufffd"]) {
    expect(isBase64(text, 0, 3), text).toBe(false);
  }
});
