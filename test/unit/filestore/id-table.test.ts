/** A table of numbers that come and go, beside a `Map` that does the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { IdTable } from "#filestore/id-table.ts";

test("it has what a map has, whatever stays for how long", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat({ max: 3 })), { maxLength: 60 }),
      (steps) => {
        const table = new IdTable<string>();
        const map = new Map<number, string>();
        let next = 0x7fffffff - 3000;
        for (const [ahead, action] of steps) {
          const [oldest] = map.keys();
          if (action === 0 && oldest !== undefined) {
            expect(table.take(oldest)).toBe(map.get(oldest));
            map.delete(oldest);
          } else {
            next = (next + ahead) & 0x7fffffff;
            if (map.has(next)) continue;
            table.add(next, `value ${next}`);
            map.set(next, `value ${next}`);
          }
          expect(table.size).toBe(map.size);
          expect(new Map(table.entries())).toEqual(map);
        }
        for (const [id, value] of map) expect(table.take(id)).toBe(value);
        expect([table.size, table.entries()]).toEqual([0, []]);
      },
    ),
    { numRuns: 200 },
  );
});

test("what is not there is not taken", () => {
  const table = new IdTable<string>();
  table.add(5, "five");
  expect([table.take(6), table.take(5 + 2048), table.size]).toEqual([undefined, undefined, 1]);
  expect([table.take(5), table.take(5), table.size]).toEqual(["five", undefined, 0]);
});
