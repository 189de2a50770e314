/**
 * Goal: whatever stands in the files of a journal, a start ends, in words or well, and touches nothing but binlog and trunk files; files that
 * were there stay.
 * Method: random bytes, and well-formed records with any numbers, paths and lines, in the segments of a store path that was not closed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import {
  type JournalEntry,
  journalTableBytes,
  readJournalEntry,
  readJournalTableBytes,
  writeJournalTable,
} from "#filestore/formats/journal-record.ts";
import { openEngine, put, readBack } from "../support/engine-fixture.ts";
import { MemoryFiles } from "../support/memory-files.ts";
import { everythingIn, writeFile } from "../support/store-path-vectors.ts";

const directory = "/disk";
const outside = "/other/file";
const wide = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 48 - 1 }));
const path = fc.constantFrom(
  ...["00/00/000001", "../../../other/file", "/other/file", "00/00", "", ".cairn/state"],
  "sync/binlog.000",
);
const lines = fc.oneof(
  fc.constantFrom("", "1795395770 C M00/00/00/x.bin\n", "no line", "\0\0\0\n"),
  fc.string({ maxLength: 60, unit: fc.nat(255).map((code) => String.fromCharCode(code)) }),
);
const entry: fc.Arbitrary<JournalEntry> = fc.record({
  epoch: fc.nat(2),
  sequence: wide,
  position: fc.record({ index: fc.constantFrom(0, 0, 0, 1, 2 ** 32 - 1), offset: wide }),
  lines,
  slots: fc.array(fc.record({ path, offset: wide, length: fc.constantFrom(0, 1, 4096, 2 ** 30) }), {
    maxLength: 3,
  }),
});

function tableOf(some: JournalEntry): Buffer {
  const table = Buffer.alloc(journalTableBytes(some));
  writeJournalTable(table, some);
  return table;
}

test("random bytes are a table, or not, and are never read further than they go", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.option(entry), (bytes, some) => {
      const table = some === null ? Buffer.from(bytes) : tableOf(some);
      for (const at of some === null ? [] : bytes) table[at % table.length] = at;
      readJournalTableBytes(table);
      readJournalEntry(table);
    }),
  );
});

test("a journal of anything is replayed or passed over, and what was there stays", () => {
  const segment = fc.oneof(
    fc.array(entry, { maxLength: 3 }).map((entries) => Buffer.concat(entries.map(padded))),
    fc.uint8Array({ maxLength: 9000 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(segment, segment, (first, second) => {
      const files = new MemoryFiles(directory, "/other");
      const name = put(
        openEngine({ files, directory }),
        { kind: "normal", extension: "txt" },
        "content",
      );
      files.powerCut();
      writeFile(files, outside, "mine");
      for (const [number, bytes] of [first, second].entries()) {
        writeFile(files, `${directory}/data/.cairn/journal.${number}`, bytes.toString("latin1"));
      }
      try {
        const engine = openEngine({ files, directory });
        expect(readBack(engine, name).toString()).toBe("content");
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
      expect(everythingIn(files, "/other")).toEqual({ file: "mine" });
    }),
    { numRuns: Math.ceil(Number(process.env.CAIRN_FUZZ_RUNS ?? 200) / 10) },
  );
});

function padded(some: JournalEntry): Buffer {
  const table = tableOf(some);
  return Buffer.concat([table, Buffer.alloc(4096 - (table.length % 4096))]);
}
