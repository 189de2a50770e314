/** When and where trunk files are made in advance. */
import { expect, test } from "vitest";
import { advanceIsDue, filesToMake, pathForFile } from "#storage/trunk-advance.ts";
import type { AdvanceTimes } from "#storage/trunk-parameters.ts";

const hour = 3600;
const times: AdvanceTimes = {
  enabled: true,
  timeBase: { hour: 2, minute: 0 },
  intervalSeconds: 24 * hour,
  thresholdBytes: 0,
};

/** The hours of a day in which it is due. */
function hoursOf(changes: Partial<AdvanceTimes>, sinceLastSeconds?: number): readonly number[] {
  return [...Array(24).keys()].filter((at) =>
    advanceIsDue({ ...times, ...changes }, { secondOfDay: at * hour, sinceLastSeconds }, 60),
  );
}

test("at its time of the day, and every interval from there", () => {
  expect(hoursOf({})).toEqual([2]);
  expect(hoursOf({ intervalSeconds: 8 * hour })).toEqual([2, 10, 18]);
  expect(hoursOf({ enabled: false })).toEqual([]);
  expect(hoursOf({ intervalSeconds: 0 })).toEqual([]);
  expect(hoursOf({ intervalSeconds: 72 * hour }, 24 * hour)).toEqual([]);
  expect(hoursOf({ intervalSeconds: 72 * hour }, 49 * hour)).toEqual([2]);
  expect(advanceIsDue(times, { secondOfDay: 2 * hour + 59, sinceLastSeconds: undefined }, 60)).toBe(
    true,
  );
  expect(advanceIsDue(times, { secondOfDay: 2 * hour + 60, sinceLastSeconds: undefined }, 60)).toBe(
    false,
  );
});

test("as many whole files as are missing", () => {
  expect([filesToMake(100, 0, 30), filesToMake(100, 95, 30), filesToMake(100, 200, 30)]).toEqual([
    3, 0, 0,
  ]);
});

test("on the path with most room that has some beside the reserve", () => {
  const mib = 1024 * 1024;
  const path = (index: number, freeMb: number) => ({
    ...{ index, state: "online" as const, readOnly: false },
    ...{ totalBytes: 1000 * mib, freeBytes: freeMb * mib },
  });
  const paths = [path(0, 300), path(1, 400), { ...path(2, 900), readOnly: true }];
  const limit = {
    reserved: { kind: "bytes", bytes: 200 * mib } as const,
    pathCount: 1,
    fileBytes: 64 * mib,
  };
  expect(pathForFile(paths, new Map(), limit)).toBe(1);
  expect(pathForFile(paths, new Map([[1, 130 * mib]]), limit)).toBe(0);
  const promised = new Map([
    [0, 64 * mib],
    [1, 192 * mib],
  ]);
  expect(pathForFile(paths, promised, limit)).toBeUndefined();
});
