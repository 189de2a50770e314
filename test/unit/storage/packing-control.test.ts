import { expect, test } from "vitest";
import type { Packing } from "#filestore/packing.ts";
import { PackingControl } from "#storage/packing-control.ts";
import { defaultTrunkParameters, type TrunkParameters } from "#storage/trunk-parameters.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

const original: TrunkParameters = { ...defaultTrunkParameters, enabled: true };
const ours: TrunkParameters = { ...original, leases: true };

function control() {
  const packings: Packing[] = [];
  const given: (readonly [number, number, number])[] = [];
  const modes: string[] = [];
  const away = new Set<number>();
  let asked = 0;
  const store = {
    change: (packing: Packing): void => {
      packings.push(packing);
    },
    give: async (path: number, first: number, count: number): Promise<boolean> => {
      if (away.has(path)) return false;
      given.push([path, first, count]);
      return true;
    },
    giveAllAway: (): void => {},
    onWanted: (_path: number, _count: number): void => {},
  };
  const { log } = collectedLog();
  const packing = new PackingControl({
    ...{ log, store },
    onWanted: () => {
      asked += 1;
    },
    onModeChange: (mode) => modes.push(mode),
  });
  return { packing, store, packings, given, modes, away, asked: () => asked };
}

test("C's trackers decide by their settings", () => {
  const { packing, packings, modes } = control();
  packing.learnParameters(original);
  packing.learnParameters(original);
  packing.learnParameters({ ...original, enabled: false });
  expect(modes).toEqual(["served", "off"]);
  expect(packings).toEqual([
    { mode: "served", ...original.rules, removesUnused: false },
    { mode: "off", ...original.rules, removesUnused: false },
  ]);
});

test("unused trunk files go where the setting says so, and always where they are leased", async () => {
  const { packing, packings } = control();
  packing.learnParameters({ ...original, deletesUnused: true });
  packing.learnParameters(original);
  await packing.learnLease({ mode: "leased", first: 0, count: 0 });
  expect(packings.map(({ mode, removesUnused }) => [mode, removesUnused])).toEqual([
    ["served", true],
    ["served", false],
    ["leased", true],
  ]);
});

test("a tracker of ours decides by its answer, until others lead", async () => {
  const { packing, modes } = control();
  packing.learnParameters(ours);
  expect(packing.mode).toBe("off");
  await packing.learnLease({ mode: "leased", first: 0, count: 0 });
  await packing.learnLease({ mode: "served", first: 0, count: 0 });
  packing.learnParameters({ ...original, enabled: false });
  expect(packing.mode).toBe("served");
  packing.learnNoLeases();
  expect(modes).toEqual(["leased", "served", "off"]);
});

test("numbers go to the paths that want some, and what is left to who wants some later", async () => {
  const { packing, store, given, away, asked } = control();
  packing.learnParameters(ours);
  store.onWanted(0, 2);
  store.onWanted(1, 3);
  await Promise.resolve();
  expect([packing.wanted, asked()]).toEqual([5, 2]);
  away.add(1);
  await packing.learnLease({ mode: "leased", first: 10, count: 5 });
  expect(given).toEqual([[0, 10, 2]]);
  expect(packing.wanted).toBe(0);
  away.clear();
  store.onWanted(1, 4);
  await Promise.resolve();
  expect([given.slice(1), packing.wanted]).toEqual([[[1, 12, 3]], 1]);
  await packing.learnLease({ mode: "leased", first: 20, count: 2 });
  expect(given.slice(2)).toEqual([[1, 20, 1]]);
  store.onWanted(0, 1);
  await Promise.resolve();
  expect([given.slice(3), packing.wanted]).toEqual([[[0, 21, 1]], 0]);
});

test("no number is given twice, however many ask", async () => {
  const { packing, store, given } = control();
  packing.learnParameters(ours);
  for (let round = 0; round < 5; round += 1) {
    for (const path of [0, 1, 2]) store.onWanted(path, 4);
    await Promise.all([
      packing.learnLease({ mode: "leased", first: 1 + 20 * round, count: 7 }),
      packing.learnLease({ mode: "leased", first: 8 + 20 * round, count: 6 }),
    ]);
  }
  const numbers = given.flatMap(([, first, count]) =>
    Array.from({ length: count }, (_, at) => first + at),
  );
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBe(60);
});
