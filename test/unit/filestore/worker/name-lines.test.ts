/** Who waits for a name goes on in order, and nobody overtakes. */
import { expect, test } from "vitest";
import { NameLines } from "#filestore/worker/name-lines.ts";

test("those who wait for a name go on in order, until one takes it again", () => {
  const locked = new Set(["a", "b"]);
  const lines = new NameLines<number>((name) => locked.has(name));
  expect([lines.isTaken("a"), lines.isTaken("c"), lines.isEmpty]).toEqual([true, false, true]);
  for (const number of [1, 2, 3]) lines.wait("a", number);
  lines.wait("b", 4);
  locked.delete("a");
  expect(lines.isTaken("a"), "somebody stands in line").toBe(true);
  const went: number[] = [];
  lines.retry((number) => {
    went.push(number);
    if (number === 2) locked.add("a");
  });
  expect(went).toEqual([1, 2]);
  locked.clear();
  lines.retry((number) => went.push(number));
  expect([went, lines.isEmpty]).toEqual([[1, 2, 3, 4], true]);
});

test("a line can be sent away", () => {
  const lines = new NameLines<number>(() => true);
  lines.wait("a", 1);
  lines.wait("b", 2);
  expect([...lines.takeAll(), lines.isEmpty]).toEqual([1, 2, true]);
});
