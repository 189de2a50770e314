/**
 * Goal: whatever goes wrong, a cluster loses nothing that it acknowledged. Method: whole nodes over a simulated platform, with
 * troubles and clients made from a seed (`simulate.ts`). Here some seeds; `npm run simulate` runs as many as one likes.
 */
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const first = Number(process.env.CAIRN_SIM_FIRST ?? 1);
const count = Number(process.env.CAIRN_SIM_SEEDS ?? 12);
const shownNotes = 60;

for (let seed = first; seed < first + count; seed += 1) {
  test(`seed ${seed}: what was acknowledged is there at the end`, async () => {
    const { violations, notes } = await simulate(seed);
    const repeat = `npm run simulate -- --first ${seed} --seeds 1 --verbose`;
    const shown =
      violations.length === 0 ? [] : [...violations, ...notes.slice(-shownNotes), repeat];
    expect(shown).toEqual([]);
  });
}

test("a seed decides everything: two runs of it are the same to the byte", async () => {
  for (let seed = first; seed < first + 3; seed += 1) {
    expect((await simulate(seed)).hash).toBe((await simulate(seed)).hash);
  }
});

test("other seeds are other runs", async () => {
  expect((await simulate(first)).hash).not.toBe((await simulate(first + 1)).hash);
});
