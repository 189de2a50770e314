import { expect, test } from "vitest";
import {
  formatMetadata,
  hasMetadataSeparator,
  mergeMetadata,
  normalizeMetadata,
  parseMetadata,
} from "#model/file-metadata.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const normalized = (text: string): string => normalizeMetadata(bytes(text)).toString("latin1");
const merged = (stored: string, text: string): string =>
  mergeMetadata(bytes(stored), bytes(text)).toString("latin1");

test("entries are read and written as UTF-8, in their order", () => {
  const entries = [
    ["width", "160"],
    ["größe", "ü=1"],
    ["empty", ""],
  ] as const;
  const text = formatMetadata(entries);
  expect(text.toString("utf8")).toBe("width\x02160\x01größe\x02ü=1\x01empty\x02");
  expect(parseMetadata(text)).toEqual(entries);
  expect(parseMetadata(new Uint8Array())).toEqual([]);
});

test("what overwrites is sorted by bytes, and duplicates stay in their order", () => {
  expect(normalized("w\x02160\x01h\x02240")).toBe("h\x02240\x01w\x02160");
  expect(normalized("z\x021\x01a\x022\x01a\x021")).toBe("a\x022\x01a\x021\x01z\x021");
  expect(normalized("\xffx\x021\x01Z\x022\x01a\x023")).toBe("Z\x022\x01a\x023\x01\xffx\x021");
});

test("records without a separator are dropped, empty names and values stay", () => {
  expect(normalized("novalue")).toBe("");
  expect(normalized("")).toBe("");
  expect(normalized("\x01\x01a\x02b\x01")).toBe("a\x02b");
  expect(normalized("a\x02b\x02c\x01d\x01\x02x\x01e\x02")).toBe("\x02x\x01a\x02b\x02c\x01e\x02");
});

test("names are cut to 64 bytes and values to 256, also inside of a character", () => {
  const cut = normalized(`${"n".repeat(70)}\x02${"v".repeat(300)}`);
  expect(cut).toBe(`${"n".repeat(64)}\x02${"v".repeat(256)}`);
  const umlauts = normalizeMetadata(Buffer.from(`a\x02v${"ü".repeat(200)}`));
  expect(umlauts).toHaveLength(2 + 256);
  expect(umlauts.at(-1)).toBe(0xc3);
});

test("merging replaces values of the same name and keeps the order", () => {
  expect(merged("b\x021\x01d\x022", "c\x02x\x01d\x02N")).toBe("b\x021\x01c\x02x\x01d\x02N");
  expect(merged("a\x021", "a\x021")).toBe("a\x021");
  expect(merged("", "b\x02\x01a\x021")).toBe("a\x021\x01b\x02");
  expect(merged("a\x021", "")).toBe("a\x021");
});

test("merging with duplicates gives what the reference gives", () => {
  const stored = "b\x021\x01d\x022\x01d\x023";
  const update = "d\x02N\x01d\x02P\x01a\x02x\x01e\x02y";
  const reference = "a\x02x\x01b\x021\x01d\x02N\x01d\x02P\x01e\x02y";
  expect(merged(stored, update)).toBe(reference);
});

test("separators inside of names and values are noticed", () => {
  expect(["a", "a\x01", "\x02a", ""].map(hasMetadataSeparator)).toEqual([false, true, true, false]);
});
