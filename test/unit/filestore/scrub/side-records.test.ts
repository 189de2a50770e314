/** Side records: what they say of a file, and that damaged ones count as not there. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkedLines,
  compareSide,
  formatSideLine,
  parseSideLine,
  type SideRecord,
  SideRecords,
} from "#filestore/scrub/side-records.ts";
import { readText, runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const record: SideRecord = {
  sizeBytes: 5,
  modifiedNs: 1_700_000_000_123_456_789n,
  changedNs: 1_700_000_001_000_000_000n,
  inode: 42,
  crc32: 0xdeadbeef,
};

test("a line reads as it was written, and others are none", () => {
  const parsed = parseSideLine(formatSideLine("0A/name.log", record));
  expect(parsed).toEqual({ key: "0A/name.log", record });
  fc.assert(
    fc.property(fc.string(), (line) => {
      const found = parseSideLine(line);
      expect(found === undefined || formatSideLine(found.key, found.record) === line).toBe(true);
    }),
  );
  expect(parseSideLine("../a b 1 1 1 1 1")).toBe(undefined);
});

test("another content under the same size and times is rot, and anything that moved is a change", () => {
  const now = { ...record, crc32: 1 };
  expect(compareSide(record, record)).toBe("same");
  expect(compareSide(record, now)).toBe("rotten");
  expect(compareSide(undefined, now)).toBe("new");
  for (const moved of [
    { sizeBytes: 6 },
    { modifiedNs: record.modifiedNs + 1n },
    { changedNs: record.changedNs + 1n },
    { inode: 43 },
  ]) {
    expect(compareSide(record, { ...now, ...moved })).toBe("new");
  }
});

test("records stay over restarts; of files that are gone they do not, and damaged ones are not there", () => {
  const files = new MemoryFiles("/own");
  const side = new SideRecords(files, "/own");
  runSteps(side.enter(10));
  side.put("00/stays", record);
  side.put("00/goes", record);
  side.put("01/elsewhere", record);
  side.beginDirectory();
  side.meet("00/stays");
  side.endDirectory(0);
  side.save();
  const again = (keeps = true): SideRecords => {
    const found = new SideRecords(files, "/own", keeps);
    runSteps(found.enter(10));
    return found;
  };
  expect(again().get("00/stays")).toEqual(record);
  expect(again().get("00/goes")).toBe(undefined);
  expect(again().get("01/elsewhere")).toEqual(record);
  const reading = again(false);
  reading.put("00/new", record);
  reading.save();
  expect(again().get("00/new")).toBe(undefined);
  const text = readText(files, "/own/side/0A");
  expect(checkedLines(Buffer.from(text, "latin1"))).toHaveLength(2);
  writeFile(files, "/own/side/0A", text.replace("42", "43"));
  expect(again().get("00/stays")).toBe(undefined);
});
