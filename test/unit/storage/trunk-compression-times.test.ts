import { expect, test } from "vitest";
import { compressionIsDue } from "#storage/trunk-compression-times.ts";

const day = 86_400;
const times = { intervalSeconds: day, minIntervalSeconds: 0, timeBase: { hour: 3, minute: 0 } };
const state = {
  secondOfDay: 3 * 3600,
  servingSeconds: 10_000,
  sinceLastSeconds: undefined,
  changed: true,
};

test("it is done once a day, at the time", () => {
  const due = Array.from({ length: 1440 }, (_, minute) => minute).filter((minute) =>
    compressionIsDue(times, { ...state, secondOfDay: minute * 60 + 7 }, 60),
  );
  expect(due).toEqual([180]);
});

test("it is done every interval, counted from the time", () => {
  const hourly = { ...times, intervalSeconds: 6 * 3600 };
  const due = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) =>
    compressionIsDue(hourly, { ...state, secondOfDay: hour * 3600 }, 60),
  );
  expect(due).toEqual([3, 9, 15, 21]);
});

test("it is not done without an interval, without changes, soon after the start, or soon after the last one", () => {
  expect(compressionIsDue({ ...times, intervalSeconds: 0 }, state, 60)).toBe(false);
  expect(compressionIsDue(times, { ...state, changed: false }, 60)).toBe(false);
  expect(compressionIsDue(times, { ...state, servingSeconds: 599 }, 60)).toBe(false);
  const careful = { ...times, minIntervalSeconds: 2 * day };
  expect(compressionIsDue(careful, { ...state, sinceLastSeconds: day }, 60)).toBe(false);
  expect(compressionIsDue(careful, { ...state, sinceLastSeconds: 2 * day }, 60)).toBe(true);
  const weekly = { ...times, intervalSeconds: 7 * day };
  expect(compressionIsDue(weekly, { ...state, sinceLastSeconds: 2 * day }, 60)).toBe(false);
  expect(compressionIsDue(weekly, { ...state, sinceLastSeconds: 7 * day }, 60)).toBe(true);
});
