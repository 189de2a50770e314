/** Dates of HTTP. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatHttpDate, parseHttpDate } from "#net/http-date.ts";

const now = Date.UTC(2026, 10, 23) / 1000;
const moment = 784111777;

test("the example of the standard is written, and read in all three forms", () => {
  expect(formatHttpDate(moment)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  for (const text of [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
  ]) {
    expect(parseHttpDate(text, now)).toBe(moment);
  }
});

test("every time that is written is read back", () => {
  const seconds = fc.integer({ min: 0, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, (time) => {
      expect(parseHttpDate(formatHttpDate(time), now)).toBe(time);
    }),
  );
});

test("two digits of a year mean the nearest past but for the next fifty years", () => {
  const year = (text: string): number =>
    new Date(
      (parseHttpDate(`Monday, 01-Jan-${text} 00:00:00 GMT`, now) ?? 0) * 1000,
    ).getUTCFullYear();
  expect(["76", "77", "94", "26"].map(year)).toEqual([2076, 1977, 1994, 2026]);
});

test("what is no date is none", () => {
  const wrong = [
    "",
    "784111777",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "1994-11-06T08:49:37Z",
  ];
  expect(wrong.filter((text) => parseHttpDate(text, now) !== undefined)).toEqual([]);
});

test("a leap second counts as the one before it", () => {
  expect(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", now)).toBe(
    parseHttpDate("Sat, 31 Dec 2016 23:59:59 GMT", now),
  );
});
