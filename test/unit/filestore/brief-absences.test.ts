/** Waiting for store paths that are away for a moment. */
import { expect, test } from "vitest";
import { BriefAbsences } from "#filestore/brief-absences.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";

const unready = fileStoreError("store-path-unready", "it is being switched");
const missing = fileStoreError("file-missing", "no such file");

test("whoever was refused for it waits until the path is back, and nobody else", async () => {
  const absences = new BriefAbsences(new ManualClock());
  await expect(absences.outlast(unready, 1)).rejects.toBe(unready);
  absences.begin(1);
  expect([absences.has(1), absences.has(2)]).toEqual([true, false]);
  await expect(absences.outlast(unready, 2)).rejects.toBe(unready);
  await expect(absences.outlast(missing, 1)).rejects.toBe(missing);
  let ended = 0;
  for (const index of [1, undefined]) {
    void absences.outlast(unready, index).then(() => {
      ended += 1;
    });
  }
  await turns(4);
  expect(ended).toBe(0);
  absences.end(1);
  await turns(4);
  expect([ended, absences.has(1)]).toEqual([2, false]);
});

test("nobody waits for longer than clients do, nor do more than a thousand", async () => {
  const clock = new ManualClock();
  const absences = new BriefAbsences(clock);
  absences.begin(0);
  const all = Array.from({ length: 1024 }, () => absences.outlast(unready, 0));
  const ends = Promise.allSettled(all);
  await expect(absences.outlast(unready, 0)).rejects.toBe(unready);
  clock.advance(10_001);
  expect(new Set((await ends).map(({ status }) => status))).toEqual(new Set(["rejected"]));
  // There is room again.
  const next = absences.outlast(unready, 0);
  absences.end(0);
  await next;
});
