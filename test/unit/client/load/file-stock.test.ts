/** The generator's own files. */
import { expect, test } from "vitest";
import { FileStock, mostFilesUsed } from "#client/load/file-stock.ts";

function stockOf(...files: readonly (readonly [number, string])[]): FileStock {
  const stock = new FileStock(100);
  for (const [storage, name] of files) stock.add(storage, Buffer.from(name));
  return stock;
}

test("files are used one after the other, each where it is", () => {
  const stock = stockOf([0, "a"], [0, "b"], [2, "c"]);
  expect([0, 0, 0, 2, 1].map((storage) => stock.use(storage)?.toString())).toEqual([
    ...["a", "b", "a", "c"],
    undefined,
  ]);
  expect(stockOf([1, "x"]).useAny()?.toString()).toBe("x");
  expect(stockOf().useAny()).toBeUndefined();
});

test("what is added is a copy, for the buffer it came in is used again", () => {
  const stock = new FileStock(1);
  const reply = Buffer.from("name");
  stock.add(0, reply);
  reply.fill(0);
  expect(stock.use(0)?.toString()).toBe("name");
});

test("a file that is taken is gone, unless it is put aside and tried again", () => {
  const stock = stockOf([0, "a"], [0, "b"]);
  const file = stock.take(0) as Buffer;
  expect([file.toString(), stock.count, stock.totalBytes]).toEqual(["b", 1, 100]);
  stock.putAside(0, file);
  expect([stock.count, stock.asideCount]).toEqual([1, 1]);
  stock.retryRest();
  expect([stock.count, stock.asideCount, stock.countOf(0)]).toEqual([2, 0, 2]);
  expect(stock.take(1)).toBeUndefined();
});

test("reads go around a limited number of files", () => {
  const stock = new FileStock(1);
  for (let at = 0; at < mostFilesUsed + 5; at += 1) stock.add(0, Buffer.from(String(at)));
  for (let at = 0; at < mostFilesUsed; at += 1) stock.use(0);
  expect(stock.use(0)?.toString()).toBe("0");
});
