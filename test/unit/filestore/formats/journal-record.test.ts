import { expect, test } from "vitest";
import {
  type JournalEntry,
  journalBlockBytes,
  journalHeaderBytes,
  journalRecordBytes,
  journalTableBytes,
  readJournalEntry,
  readJournalTableBytes,
  writeJournalTable,
} from "#filestore/formats/journal-record.ts";

const entry: JournalEntry = {
  epoch: 0xfedcba98,
  sequence: 2 ** 40 + 3,
  position: { index: 7, offset: 2 ** 33 + 1 },
  lines:
    "1795395770 C M00/00/01/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin\n1795395771 D M00/00/01/\u00e4\n",
  slots: [
    { path: "00/01/000001", offset: 2 ** 32 + 64, length: 4120 },
    { path: "00/02/000002", offset: 0, length: 1024 * 1024 },
  ],
};

function tableOf(some: JournalEntry): Buffer {
  const table = Buffer.alloc(journalTableBytes(some));
  expect(writeJournalTable(table, some)).toBe(table.length);
  return table;
}

test("an entry is read as it was written", () => {
  for (const some of [entry, { ...entry, slots: [] }, { ...entry, lines: "" }]) {
    const table = tableOf(some);
    expect(readJournalTableBytes(table.subarray(0, journalHeaderBytes))).toBe(table.length);
    expect(readJournalEntry(table)).toEqual(some);
  }
});

test("no bit of a table may be another one", () => {
  const table = tableOf(entry);
  for (let bit = 0; bit < table.length * 8; bit += 1) {
    const changed = Buffer.from(table);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(readJournalEntry(changed)).toBeUndefined();
  }
});

test("a table that is cut off, or followed by something, is none", () => {
  const table = tableOf(entry);
  for (let length = 0; length < table.length; length += 1) {
    expect(readJournalEntry(table.subarray(0, length))).toBeUndefined();
  }
  expect(readJournalEntry(Buffer.concat([table, Buffer.alloc(1)]))).toBeUndefined();
});

test("records take whole blocks, so that writing one does not touch another", () => {
  expect(journalRecordBytes(journalHeaderBytes, 0)).toBe(journalBlockBytes);
  expect(journalRecordBytes(journalBlockBytes, 0)).toBe(journalBlockBytes);
  expect(journalRecordBytes(journalBlockBytes, 1)).toBe(2 * journalBlockBytes);
});
