/** Blocks are handed out once, come back, and never overlap. */
import { expect, test } from "vitest";
import {
  type BlockHolder,
  BlockPool,
  blockRoom,
  blockSizeFor,
  blockView,
  largeBlockBytes,
  smallBlockBytes,
} from "#filestore/block-pool.ts";

test("a payload gets the smallest block that holds it", () => {
  expect(blockSizeFor(0)).toBe("small");
  expect(blockSizeFor(smallBlockBytes)).toBe("small");
  expect(blockSizeFor(smallBlockBytes + 1)).toBe("large");
});

test("no two blocks share a byte, and each has room for a header in front", () => {
  const pool = new BlockPool();
  const blocks: number[] = [];
  for (const size of ["small", "large"] as const) {
    for (let block = pool.tryTake(size); block !== undefined; block = pool.tryTake(size)) {
      blocks.push(block);
    }
  }
  const places = blocks
    .map((block) => pool.view(block))
    .map((view) => [view.byteOffset - blockRoom, view.byteOffset + view.length] as const)
    .sort((one, other) => one[0] - other[0]);
  for (const [index, place] of places.entries()) {
    expect(place[0]).toBeGreaterThanOrEqual(places[index - 1]?.[1] ?? 0);
  }
  expect(places.at(-1)?.[1]).toBeLessThanOrEqual(pool.memory.byteLength);
  expect(new Set(blocks).size).toBe(blocks.length);
});

test("both threads see the same bytes under the same number", () => {
  const pool = new BlockPool();
  const block = pool.tryTake("large") ?? -1;
  pool.view(block).fill(7, 0, 3);
  expect([...blockView(pool.memory, block).subarray(0, 4)]).toEqual([7, 7, 7, 0]);
  expect(pool.view(block).length).toBe(largeBlockBytes);
});

test("who waits gets the block that is given back, in order of asking", async () => {
  const pool = new BlockPool();
  const taken: number[] = [];
  for (let block = pool.tryTake("large"); block !== undefined; block = pool.tryTake("large")) {
    taken.push(block);
  }
  const order: string[] = [];
  const first = pool.take("large").then((block) => {
    order.push("first");
    return block;
  });
  const second = pool.take("large").then((block) => {
    order.push("second");
    return block;
  });
  pool.give(taken[0] ?? -1);
  pool.give(taken[1] ?? -1);
  expect([await first, await second]).toEqual([taken[0], taken[1]]);
  expect(order).toEqual(["first", "second"]);
});

test("work that could wait gets no block when few are left", () => {
  const pool = new BlockPool();
  for (const size of ["small", "large"] as const) {
    let spare = 0;
    while (pool.tryTakeSpare(size) !== undefined) spare += 1;
    let rest = 0;
    while (pool.tryTake(size) !== undefined) rest += 1;
    expect({ size, spare, rest }).toEqual(
      size === "small" ? { size, spare: 192, rest: 64 } : { size, spare: 48, rest: 16 },
    );
  }
});

test("a block that its holder can do without goes to who asks, and no more are pressed", async () => {
  const pool = new BlockPool();
  const kept: number[] = [];
  for (let block = pool.tryTake("large"); block !== undefined; block = pool.tryTake("large")) {
    kept.push(block);
  }
  let asked = 0;
  for (const block of kept.slice(0, 2)) {
    const holder: BlockHolder = {
      yieldBlock: (size) => {
        asked += 1;
        expect(size).toBe("large");
        pool.holders.delete(holder);
        pool.give(block);
      },
    };
    pool.holders.add(holder);
  }
  expect([pool.tryTake("large"), asked]).toEqual([kept[0], 1]);
  expect([await pool.take("large"), asked]).toEqual([kept[1], 2]);
  expect([pool.tryTake("large"), pool.crowded]).toEqual([undefined, false]);
});

test("when blocks run out, those who hold partly filled ones are asked to let go", () => {
  const pool = new BlockPool();
  let asked = 0;
  pool.holders.add({
    yieldBlock: () => {
      asked += 1;
    },
  });
  while (pool.tryTake("large") !== undefined);
  expect(asked).toBe(1);
});

test("while blocks may not come back nobody stands in line for one, and free ones are given", async () => {
  const pool = new BlockPool();
  const taken: number[] = [];
  for (let block = pool.tryTake("large"); block !== undefined; block = pool.tryTake("large")) {
    taken.push(block);
  }
  const why = new Error("the disk hangs");
  const standing = expect(pool.take("large")).rejects.toBe(why);
  pool.refuse(why);
  await standing;
  await expect(pool.take("large")).rejects.toBe(why);
  expect(pool.crowded).toBe(false);
  expect(await pool.take("small")).toBeGreaterThanOrEqual(0);
  pool.refuse(undefined);
  const next = pool.take("large");
  pool.give(taken[0] as number);
  expect(await next).toBe(taken[0]);
});

test("a detained block is given to nobody who waits until it is released", async () => {
  const pool = new BlockPool();
  const taken: number[] = [];
  for (let block = pool.tryTake("large"); block !== undefined; block = pool.tryTake("large")) {
    taken.push(block);
  }
  const [first = -1, second = -1] = taken;
  pool.detain(first);
  const next = pool.take("large");
  pool.give(first);
  pool.give(second);
  expect(await next).toBe(second);
  pool.release(first);
  expect(pool.tryTake("large")).toBe(first);
});
