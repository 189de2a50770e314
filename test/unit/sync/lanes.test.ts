import { expect, test } from "vitest";
import { inLanes } from "#sync/lanes.ts";

test("no more than the lanes work at the same time, and all is done", async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  await inLanes([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, item % 3));
    now -= 1;
    done.push(item);
  });
  expect(most).toBe(3);
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("the first failure ends it when those under way have ended, and the source is closed", async () => {
  let closed = false;
  const begun: number[] = [];
  async function* items(): AsyncGenerator<number, void> {
    try {
      for (let item = 0; ; item += 1) yield item;
    } finally {
      closed = true;
    }
  }
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 5) throw new Error("five");
    await new Promise((resolve) => setImmediate(resolve));
  };
  await expect(inLanes(items(), 2, work)).rejects.toThrow("five");
  expect(closed).toBe(true);
  expect(begun.length).toBeLessThan(9);
});
