import { expect, test } from "vitest";
import {
  agreeHorizons,
  decodeHorizons,
  encodeHorizons,
  isSettled,
  settledHorizon,
  slotHorizon,
} from "#filestore/inventory/horizons.ts";

test("the lower horizon counts, and of a source that one side does not know nothing is compared", () => {
  const agreed = agreeHorizons(
    new Map([
      [1, 100],
      [2, 50],
    ]),
    new Map([
      [1, 80],
      [3, 9],
    ]),
  );
  expect([...agreed]).toEqual([
    [1, 80],
    [2, 0],
    [3, 0],
  ]);
  expect(isSettled(agreed, 1, 79)).toBe(true);
  expect(isSettled(agreed, 1, 80)).toBe(false);
  expect(isSettled(agreed, 2, 0)).toBe(false);
  // A source that neither is sent files of has nothing on its way.
  expect(isSettled(agreed, 4, 0xfffffffe)).toBe(true);
  expect(slotHorizon(agreed)).toBe(0);
});

test("of a source of which nothing is on its way, as the asker says, everything is compared", () => {
  const agreed = agreeHorizons(new Map([[1, settledHorizon]]), new Map([[1, 80]]));
  expect(isSettled(agreed, 1, 0xfffffffe)).toBe(true);
  // Nor is what a slot holds left out that may be that source's, whatever others have on their way.
  expect(slotHorizon(new Map([...agreed, [2, 7]]))).toBe(settledHorizon);
});

test("horizons survive their bytes, and a piece too many does no harm", () => {
  const horizons = new Map([
    [0xfffffffe, 0xffffffff],
    [0, 0],
  ]);
  const bytes = encodeHorizons(horizons);
  expect(decodeHorizons(bytes)).toEqual(horizons);
  expect(decodeHorizons(Buffer.concat([bytes, Buffer.alloc(7)]))).toEqual(horizons);
});
