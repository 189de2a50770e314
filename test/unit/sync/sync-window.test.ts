import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePositions } from "#filestore/binlog/position.ts";
import type { Touches } from "#sync/sync-record.ts";
import { SyncWindow, type WindowEntry } from "#sync/sync-window.ts";

const at = (offset: number) => ({ index: 0, offset });
const names = (...list: string[]): Touches => ({ names: list, slots: [] });
const slot = (file: string, from: number, to: number): Touches => ({
  names: [`${file} ${from}`],
  slots: [{ file, from, to }],
});
const all = (): boolean => true;

function takeAll<Item>(window: SyncWindow<Item>): WindowEntry<Item>[] {
  const taken: WindowEntry<Item>[] = [];
  for (let next = window.take(all); next !== undefined; next = window.take(all)) taken.push(next);
  return taken;
}

test("records that touch different things are under way together, and those of one thing one after the other", () => {
  const window = new SyncWindow<string>(at(0));
  window.add("C a", names("a"), at(1));
  window.add("C b", names("b"), at(2));
  window.add("D a", names("a"), at(3));
  window.add("R c b", names("c", "b"), at(4));
  const [a, b] = takeAll(window);
  expect([a?.item, b?.item]).toEqual(["C a", "C b"]);
  window.finish(b as WindowEntry<string>);
  expect(takeAll(window).map(({ item }) => item)).toEqual(["R c b"]);
  window.finish(a as WindowEntry<string>);
  expect(takeAll(window).map(({ item }) => item)).toEqual(["D a"]);
});

test("packed files wait for each other by slot, whatever their names", () => {
  const window = new SyncWindow<string>(at(0));
  window.add("D old", slot("f1", 0, 1000), at(1));
  window.add("C new", slot("f1", 500, 700), at(2));
  window.add("C beside", slot("f1", 1000, 2000), at(3));
  window.add("C other file", slot("f2", 0, 1000), at(4));
  window.add("D large", slot("f1", 0, 200_000), at(5));
  const first = takeAll(window);
  expect(first.map(({ item }) => item)).toEqual(["D old", "C beside", "C other file"]);
  for (const entry of first) window.finish(entry);
  const second = takeAll(window);
  expect(second.map(({ item }) => item)).toEqual(["C new"]);
  for (const entry of second) window.finish(entry);
  expect(takeAll(window).map(({ item }) => item)).toEqual(["D large"]);
});

test("the acknowledged position is behind the last record before which all are done, and passes what needs no sending", () => {
  const window = new SyncWindow<number>(at(0));
  window.skip(at(5));
  expect(window.acknowledged).toEqual(at(5));
  window.add(1, names("a"), at(10));
  window.skip(at(12));
  window.add(2, names("b"), at(20));
  window.skip(at(25));
  const [one, two] = takeAll(window);
  window.finish(two as WindowEntry<number>);
  expect(window.acknowledged).toEqual(at(5));
  window.finish(one as WindowEntry<number>);
  expect(window.acknowledged).toEqual(at(25));
  expect(window.size).toBe(0);
});

test("what failed is sent again before what was never sent", () => {
  const window = new SyncWindow<number>(at(0));
  for (const item of [1, 2, 3]) window.add(item, names(String(item)), at(item));
  const first = window.take(all) as WindowEntry<number>;
  window.retry(first);
  expect(takeAll(window).map(({ item }) => item)).toEqual([1, 2, 3]);
});

test("any order of acknowledgements: nothing is passed over, conflicts keep their order, and at the end all is done", () => {
  const record = fc.record({
    name: fc.nat(4),
    other: fc.option(fc.nat(4)),
    from: fc.nat(20),
    length: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 60 }),
      fc.infiniteStream(fc.nat(1000)),
      (records, choices) => {
        const window = new SyncWindow<number>(at(0));
        const choose = (below: number): number => (choices.next().value as number) % below;
        const touches = records.map(({ name, other, from, length }) => ({
          names: other === null ? [`${name}`] : [`${name}`, `${other}`],
          slots: [{ file: "f", from: from * 7000, to: (from + length) * 7000 }],
        }));
        const conflicts = (one: number, other: number): boolean => {
          const [left, right] = [touches[one], touches[other]];
          if (left === undefined || right === undefined) return false;
          const [a, b] = [left.slots[0], right.slots[0]];
          const overlap = a !== undefined && b !== undefined && a.from < b.to && b.from < a.to;
          return overlap || left.names.some((name) => right.names.includes(name));
        };
        const done = new Set<number>();
        let underWay: WindowEntry<number>[] = [];
        let added = 0;
        while (done.size < records.length) {
          if (added < records.length && choose(2) === 0) {
            window.add(added, touches[added] as Touches, at(added + 1));
            added += 1;
          }
          for (const entry of takeAll(window)) {
            for (let earlier = 0; earlier < entry.item; earlier += 1) {
              expect(done.has(earlier) || !conflicts(earlier, entry.item)).toBe(true);
            }
            underWay.push(entry);
          }
          const entry = underWay[choose(Math.max(1, underWay.length))];
          if (entry === undefined) continue;
          underWay = underWay.filter((one) => one !== entry);
          if (choose(4) === 0) window.retry(entry);
          else {
            done.add(entry.item);
            window.finish(entry);
          }
          let whole = 0;
          while (done.has(whole)) whole += 1;
          expect(comparePositions(window.acknowledged, at(whole))).toBe(0);
        }
        expect(window.size).toBe(0);
        expect(window.readyCount).toBe(0);
      },
    ),
  );
});
