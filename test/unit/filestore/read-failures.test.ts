/** When a disk that fails to read is no place for new files. */
import { expect, test } from "vitest";
import { avoidedMs, manyFailures, ReadFailures } from "#filestore/read-failures.ts";

const minuteMs = 60_000;

test("many failures within minutes are one piece of news, and hold for an hour after the last", () => {
  const failures = new ReadFailures();
  expect(failures.look(100, 0)).toBe(false);
  expect(failures.look(100 + manyFailures - 1, 1)).toBe(false);
  expect(failures.isMany(1)).toBe(false);
  expect(failures.look(100 + manyFailures, 2)).toBe(true);
  expect(failures.look(101 + manyFailures, 3 + minuteMs)).toBe(false);
  expect(failures.isMany(2 + minuteMs + avoidedMs)).toBe(true);
  expect(failures.isMany(3 + minuteMs + avoidedMs)).toBe(false);
});

test("one failure now and then, and a count that starts anew, are not many", () => {
  const failures = new ReadFailures();
  failures.look(50, 0);
  for (let count = 0; count < 3 * manyFailures; count += 1) {
    expect(failures.look(51 + count, count * 11 * minuteMs)).toBe(false);
  }
  expect(failures.look(0, 1)).toBe(false);
  expect(failures.isMany(2)).toBe(false);
});
