/** Several things, some of which fail. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { eachItem } from "#cli/each-item.ts";
import { FileError } from "#platform/files.ts";
import { contextOf } from "../../support/command-context.ts";
import { TestWorld } from "../../support/test-world.ts";

test("what fails is reported and does not keep the others", async () => {
  const world = new TestWorld();
  const done: string[] = [];
  const result = await eachItem(contextOf(world), ["a", "b", "c"], async (item, at) => {
    if (item === "b") throw new AppError("file-missing", "b is not there");
    done.push(`${item}${at}`);
  });
  expect(done).toEqual(["a0", "c2"]);
  expect(result).toEqual({
    failures: [{ item: "b", code: "file-missing", message: "b is not there" }],
    exitCode: 66,
  });
  expect(world.terminal.errors).toBe("cairn: error: b is not there\n");
});

test.each([
  ["wrong usage", new AppError("usage", "no"), false],
  ["a reader that left", new FileError("EPIPE", "no"), false],
  ["an interrupt", new Error("cut off"), true],
])("%s ends it all", async (_, error, interrupts) => {
  const world = new TestWorld();
  const abort = new AbortController();
  const tried: string[] = [];
  const all = eachItem(contextOf(world, { signal: abort.signal }), ["a", "b"], async (item) => {
    tried.push(item);
    if (interrupts) abort.abort(error);
    throw error;
  });
  await expect(all).rejects.toBe(error);
  expect([tried, world.terminal.errors]).toEqual([["a"], ""]);
});
