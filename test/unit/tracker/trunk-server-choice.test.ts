import { expect, test } from "vitest";
import { chooseTrunkServer, grantedIntervals } from "#tracker/trunk-server-choice.ts";

test("the store server is chosen unless another storage knows more", () => {
  const sizes = (...given: (number | undefined)[]): string | undefined =>
    chooseTrunkServer(
      given.map((binlogSize, at) => ({ storage: "abc"[at] as string, binlogSize })),
    );
  expect([sizes(5, 5, 4), sizes(5, 7, 6), sizes(5, undefined, 6), sizes(0)]).toEqual([
    "a",
    "b",
    "c",
    "a",
  ]);
});

test("nobody is chosen when the store server does not answer", () => {
  expect(chooseTrunkServer([{ storage: "a", binlogSize: undefined }])).toBeUndefined();
  expect(chooseTrunkServer([])).toBeUndefined();
});

test("a trunk server that has just started is granted a longer silence", () => {
  const slow = { initCheckOccupying: true, initReloadFromBinlog: true };
  const quick = { initCheckOccupying: false, initReloadFromBinlog: false };
  expect([
    grantedIntervals(0, quick),
    grantedIntervals(9.9, { ...quick, initCheckOccupying: true }),
    grantedIntervals(5, { ...quick, initReloadFromBinlog: true }),
    grantedIntervals(5, slow),
    grantedIntervals(10, slow),
  ]).toEqual([3, 5, 6, 10, 2]);
});
