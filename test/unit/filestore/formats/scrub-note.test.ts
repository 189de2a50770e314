/** The notes of a scrub: what is written is read again, and what is damaged is told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatScrubNote,
  formatScrubTimes,
  neverScrubbed,
  parseScrubNote,
  parseScrubTimes,
  type ScrubNote,
} from "#filestore/formats/scrub-note.ts";
import { tallyKeys } from "#filestore/scrub/findings.ts";

const count = fc.nat(2 ** 31 - 1);
const notes: fc.Arbitrary<ScrubNote> = fc.record({
  state: fc.constantFrom("idle", "running", "paused"),
  begunAt: count,
  endedAt: count,
  leavesDone: fc.nat(65_536),
  activeMs: count,
  rateBytes: count,
  busyShare: fc.integer({ min: 1, max: 100 }),
  tally: fc.record({
    ...Object.fromEntries(tallyKeys.map((key) => [key, count])),
  }) as unknown as fc.Arbitrary<ScrubNote["tally"]>,
});

test("a note reads as it was written", () => {
  fc.assert(
    fc.property(notes, (note) => {
      expect(parseScrubNote(formatScrubNote(note))).toEqual(note);
    }),
  );
});

test("a note that lacks a value, or has one that cannot be, is none", () => {
  const text = formatScrubNote(neverScrubbed());
  expect(parseScrubNote(text)).toEqual(neverScrubbed());
  for (const line of text.trim().split("\n")) {
    expect(parseScrubNote(text.replace(`${line}\n`, ""))).toBe(undefined);
  }
  expect(parseScrubNote(text.replace("leaves_done=0", "leaves_done=65537"))).toBe(undefined);
  expect(parseScrubNote(text.replace("busy_share=3", "busy_share=0"))).toBe(undefined);
});

test("times read as they were written; damaged or cut off ones are none", () => {
  const times = new Uint32Array(65_536);
  times.set([7, 0xffffffff], 65_534);
  const bytes = formatScrubTimes(times);
  expect(bytes.length).toBe(65_536 * 4 + 4);
  expect(parseScrubTimes(bytes)).toEqual(times);
  expect(parseScrubTimes(bytes.subarray(1))).toBe(undefined);
  bytes[100] = 1;
  expect(parseScrubTimes(bytes)).toBe(undefined);
});
