import { expect, test } from "vitest";
import { NameTurns } from "#filestore/name-turns.ts";

test("changes of a name take turns, also after a failure, and other names do not wait", async () => {
  const turns = new NameTurns();
  const seen: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = turns.run("a", async () => {
    await held;
    seen.push("first");
    throw new Error("it failed");
  });
  const second = turns.run("a", async () => seen.push("second"));
  await turns.run("b", async () => seen.push("other"));
  expect(seen).toEqual(["other"]);
  release();
  await expect(first).rejects.toThrow("it failed");
  await second;
  expect(seen).toEqual(["other", "first", "second"]);
});
