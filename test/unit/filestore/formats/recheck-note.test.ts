import { expect, test } from "vitest";
import {
  formatRecheckNote,
  parseRecheckNote,
  type RecheckNote,
} from "#filestore/formats/recheck-note.ts";

const note: RecheckNote = {
  why: "power-cut",
  since: 1_700_000_000,
  tail: { index: 2, offset: 4096 },
  isTailDone: true,
  walks: false,
  leavesDone: 300,
  lost: 7,
};

test("a note is read as it was written", () => {
  expect(formatRecheckNote(note)).toBe(
    "why=power-cut\nsince=1700000000\ntail_index=2\ntail_offset=4096\ntail_done=1\nwalks=0\nleaves_done=300\nlost=7\n",
  );
  expect(parseRecheckNote(formatRecheckNote(note))).toEqual(note);
  const other = { ...note, why: "binlog-lost", isTailDone: false, walks: true } as const;
  expect(parseRecheckNote(formatRecheckNote(other))).toEqual(other);
});

test("a note that is cut off, or says what nobody writes, is none", () => {
  const text = formatRecheckNote(note);
  const cut = text.split("\n").map((_, lines, all) => all.slice(0, lines).join("\n"));
  // The last value alone may be cut short and still be a number.
  for (const each of cut.slice(0, -1)) expect(parseRecheckNote(each)).toBe(undefined);
  expect(parseRecheckNote(text.replace("power-cut", "whim"))).toBe(undefined);
  expect(parseRecheckNote(text.replace("4096", "-1"))).toBe(undefined);
  expect(parseRecheckNote("\0".repeat(100))).toBe(undefined);
});
