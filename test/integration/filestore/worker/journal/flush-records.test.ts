import { expect, test } from "vitest";
import { directory, flushesOf, openJournaled, staged } from "../../../../support/journal-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";

test("packed files and their records wait for one flush of the journal", () => {
  const { engine } = openJournaled(new MemoryFiles(directory));
  const changes = [staged(engine, "first"), staged(engine, "second")];
  const [only, ...more] = flushesOf(engine.commitSteps(changes));
  expect(only).toEqual([expect.stringMatching(/\/data\/\.cairn\/journal\.[01]$/)]);
  expect(more).toEqual([]);
  expect(changes.map(({ error }) => error)).toEqual([undefined, undefined]);
});

test("without room in the journal a commit flushes what it wrote itself", () => {
  const { engine } = openJournaled(new MemoryFiles(directory));
  const content = "x".repeat(4000);
  const changes = Array.from({ length: 16 }, () => staged(engine, content));
  const [first] = flushesOf(engine.commitSteps(changes));
  expect(first?.some((path) => path.includes("journal"))).toBe(false);
  expect(first?.at(-1)).toMatch(/binlog\.000$/);
});
