import fc from "fast-check";
import { expect, test } from "vitest";
import { maxAsideRecords, maxClockPlaces } from "#sync/limits.ts";
import {
  ClockPlaces,
  formatAside,
  formatMark,
  parseAside,
  parseMark,
  type SyncMark,
} from "#sync/sync-cursor.ts";

const mark: SyncMark = {
  position: { index: 2, offset: 1471 },
  needSyncOld: true,
  oldDone: false,
  until: 1_795_395_827,
  scanned: 22,
  synced: 20,
};
const at = (offset: number) => ({ index: 0, offset });

test("a mark is C's, key for key", () => {
  const text = formatMark(mark);
  expect(text).toBe(
    "binlog_index=2\nbinlog_offset=1471\nneed_sync_old=1\nsync_old_done=0\nuntil_timestamp=1795395827\nscan_row_count=22\nsync_row_count=20\n",
  );
  expect(parseMark(text)).toEqual(mark);
});

test("a mark without its position is none", () => {
  for (const text of ["", "binlog_index=1\n", formatMark(mark).replace("1471", "-1"), "\u0000"]) {
    expect(parseMark(text)).toBeUndefined();
  }
});

test("records set aside are kept a line each, and damaged lines are left out", () => {
  const records = [
    { line: "1 C M00/00/00/a", why: 'it says "no"', since: 5, tries: 2 },
    { line: "2 D M00/00/00/b", why: "", since: 6, tries: 1 },
  ];
  const text = formatAside(records);
  expect(parseAside(text)).toEqual(records);
  expect(parseAside(`nonsense\n{}\nnull\n5\n${text.slice(0, -10)}`)).toEqual(records.slice(0, 1));
  const many = Array.from({ length: maxAsideRecords + 5 }, (_, line) => ({
    ...{ line: String(line), why: "", since: 0, tries: 0 },
  }));
  expect(parseAside(formatAside(many)).length).toBe(maxAsideRecords);
});

test("once everything before a place is acknowledged, the clock that was read before it counts", () => {
  const places = new ClockPlaces();
  places.note(100, at(10));
  places.advance(at(9));
  expect(places.reached).toBe(0);
  places.note(101, at(20));
  places.advance(at(15));
  expect(places.reached).toBe(100);
  places.advance(at(20));
  expect(places.reached).toBe(101);
  // Nothing was added since: the clock alone goes on.
  places.note(105, at(20));
  places.advance(at(20));
  expect(places.reached).toBe(105);
});

test("positions are never claimed too early, whatever is noted and acknowledged when, and all are reached at the end", () => {
  const step = fc.record({
    grows: fc.nat(5),
    ticks: fc.nat(2),
    acknowledges: fc.nat(8),
    notes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const places = new ClockPlaces();
      /** The clock when the record at each place was made. */
      const made: number[] = [];
      let clock = 1;
      let acknowledged = 0;
      for (const { grows, ticks, acknowledges, notes } of steps) {
        clock += ticks;
        for (let count = 0; count < grows; count += 1) made.push(clock);
        if (notes) places.note(clock, at(made.length));
        acknowledged = Math.min(made.length, acknowledged + acknowledges);
        places.advance(at(acknowledged));
        const missing = made.slice(acknowledged);
        for (const time of missing) expect(places.reached <= time).toBe(true);
      }
      places.note(clock + 1, at(made.length));
      places.advance(at(made.length));
      expect(places.reached).toBe(clock + 1);
    }),
  );
});

test("of very many places a few are kept, the newest among them", () => {
  const places = new ClockPlaces();
  for (let second = 1; second <= maxClockPlaces * 10; second += 1)
    places.note(second, at(second * 10));
  places.advance(at(maxClockPlaces * 100 - 1));
  expect(places.reached).toBeGreaterThan(maxClockPlaces * 5);
  expect(places.reached).toBeLessThan(maxClockPlaces * 10);
  places.advance(at(maxClockPlaces * 100));
  expect(places.reached).toBe(maxClockPlaces * 10);
});
