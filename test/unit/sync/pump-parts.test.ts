import { expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { backlog, expectedBytes, unknownSizeBytes, wholeMode } from "#sync/pump-parts.ts";

const normal = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const entry = (line: string) => {
  const found = decodeEntry(line);
  if (found === undefined) throw new Error(line);
  return found;
};

test("a batch is filled by what names and records say", () => {
  expect(expectedBytes(entry(`1 C ${normal}`))).toBe(5);
  expect(expectedBytes(entry(`1 C ${normal}-m`))).toBe(unknownSizeBytes);
  expect(expectedBytes(entry(`1 A ${normal} 10 300`))).toBe(300);
  expect(expectedBytes(entry(`1 D ${normal}`))).toBe(0);
});

test("a whole file is made where its name is new, and replaced where it changed", () => {
  const modes = ["C", "U", "D"].map((letter) => wholeMode(entry(`1 ${letter} ${normal}`)));
  expect(modes).toEqual(["create", "replace", "replace"]);
  expect(wholeMode(entry(`1 R ${normal} ${normal}`))).toBe("create");
});

test("the backlog counts bytes to the known end", () => {
  expect(backlog({ index: 0, offset: 5 }, { index: 0, offset: 25 })).toBe(20);
  const whole = 1024 ** 3;
  expect(backlog({ index: 0, offset: 5 }, { index: 1, offset: 25 })).toBe(whole + 20);
  expect(backlog({ index: 0, offset: 5 }, { index: 3, offset: 25 })).toBe(3 * whole + 20);
  expect(backlog({ index: 0, offset: whole + 9 }, { index: 1, offset: 25 })).toBe(25);
  expect(backlog({ index: 1, offset: 25 }, { index: 0, offset: 5 })).toBe(0);
});
