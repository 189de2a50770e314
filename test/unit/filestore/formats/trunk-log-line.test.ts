import fc from "fast-check";
import { expect, test } from "vitest";
import {
  maxTrunkLogLineBytes,
  parseTrunkLogLine,
  type TrunkLogEntry,
  trunkLogLine,
} from "#filestore/formats/trunk-log-line.ts";

const byte = fc.integer({ min: 0, max: 255 });
const entries: fc.Arbitrary<TrunkLogEntry> = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 33 }),
  kind: fc.constantFrom("free", "used"),
  location: fc.record({
    storePathIndex: byte,
    high: byte,
    low: byte,
    fileId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    offset: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    size: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  }),
});

test("a line is what C writes", () => {
  const location = { storePathIndex: 0, high: 0, low: 0, fileId: 1, offset: 256, size: 4_194_048 };
  const line = "1795395770 A 0 0 0 1 256 4194048";
  expect(trunkLogLine("free", 1_795_395_770, location)).toBe(`${line}\n`);
  expect(parseTrunkLogLine(line)).toEqual({ timestamp: 1_795_395_770, kind: "free", location });
  expect(parseTrunkLogLine(line.replace("A", "D"))?.kind).toBe("used");
});

test("the six columns of old snapshots are a free slot", () => {
  const location = { storePathIndex: 1, high: 2, low: 3, fileId: 4, offset: 5, size: 6 };
  expect(parseTrunkLogLine("1 2 3 4 5 6")).toEqual({ timestamp: 0, kind: "free", location });
});

test("every entry comes back from its line, which is short", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const line = trunkLogLine(entry.kind, entry.timestamp, entry.location);
      expect(line.length).toBeLessThanOrEqual(maxTrunkLogLineBytes);
      expect(parseTrunkLogLine(line.slice(0, -1))).toEqual(entry);
    }),
  );
});

test.each([
  "",
  "A",
  "1 A 0 0 0 1 0",
  "1 A 0 0 0 1 0 0",
  "1 A 0 0 0 0 0 1",
  "1 B 0 0 0 1 0 1",
  "1 A 256 0 0 1 0 1",
  "1 A 0 0 0 4294967296 0 1",
  "1 A 0 0 0 1 -1 1",
  "1 A 0 0 0 1 0 1 2",
  "x A 0 0 0 1 0 1",
  "1  A 0 0 0 1 0 1",
])("%j is no line", (line) => {
  expect(parseTrunkLogLine(line)).toBeUndefined();
});
