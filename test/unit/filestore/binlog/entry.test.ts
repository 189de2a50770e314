import { expect, test } from "vitest";
import { type BinlogEntry, decodeEntry, encodeEntry, sourceLine } from "#filestore/binlog/entry.ts";

const name = "M00/00/01/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const other = "M00/00/01/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
const head = { timestamp: 1795395770, replica: false, name };

/** Lines as C FastDFS 6.16.1 writes them, and what they mean. */
const lines: readonly (readonly [string, BinlogEntry])[] = [
  [`1795395770 C ${name}`, { ...head, kind: "create" }],
  [`1795395770 c ${name}`, { ...head, kind: "create", replica: true }],
  [`1795395770 U ${name}-m`, { ...head, kind: "update", name: `${name}-m` }],
  [`1795395770 D ${name}`, { ...head, kind: "delete" }],
  [`1795395770 d ${name}`, { ...head, kind: "delete", replica: true }],
  [`1795395770 A ${name} 3 4`, { ...head, kind: "append", offset: 3, length: 4 }],
  [`1795395770 M ${name} 0 12`, { ...head, kind: "modify", offset: 0, length: 12 }],
  [`1795395770 T ${name} 7 0`, { ...head, kind: "truncate", oldSize: 7, newSize: 0 }],
  [`1795395770 L ${name} ${other}`, { ...head, kind: "link", target: other }],
  [`1795395770 l ${name}`, { ...head, kind: "link", target: undefined, replica: true }],
  [`1795395770 R ${name} ${other}`, { ...head, kind: "rename", oldName: other }],
];

test("each operation has its line, in both directions", () => {
  for (const [line, entry] of lines) {
    expect(decodeEntry(line)).toEqual(entry);
    expect(encodeEntry(entry)).toBe(`${line}\n`);
  }
});

test("the line of a change made here is that of its entry", () => {
  const entry = { ...head, kind: "append", offset: 3, length: 4 } as const;
  expect(sourceLine("append", 1795395770, `${name} 3 4`)).toBe(encodeEntry(entry));
});

test("what is no record is none", () => {
  const wrong = [
    "",
    " ",
    "1795395770",
    "1795395770 C",
    "1795395770 C M00/short",
    `1795395770 X ${name}`,
    `1795395770 CC ${name}`,
    `-5 C ${name}`,
    `17953957a0 C ${name}`,
    `12345678901234567 C ${name}`,
    `1795395770 A ${name}`,
    `1795395770 A ${name} 3`,
    `1795395770 A ${name} 3 4 5`,
    `1795395770 A ${name} 3 -4`,
    `1795395770 T ${name} 3 x`,
    `1795395770 R ${name}`,
    `1795395770 R ${name} short`,
    `1795395770 C ${name.slice(0, 20)}\0${name.slice(20)}`,
    `1795395770 C ${"x".repeat(256)}`,
    "\0".repeat(50),
  ];
  for (const line of wrong) expect(decodeEntry(line), JSON.stringify(line)).toBeUndefined();
});

test("an extra column of C behind a creation does not matter", () => {
  expect(decodeEntry(`1795395770 C ${name} 1 2`)).toEqual({ ...head, kind: "create" });
});
