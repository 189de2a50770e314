/** Dead files. */
import { expect, test } from "vitest";
import { entries, keptFiles } from "./layers.ts";
import { readSources } from "./repository.ts";
import { findDeadFiles } from "./rules/reachable.ts";
import { parseSource } from "./source.ts";

test("every source file is reached from an entry", () => {
  const paths = [...entries, ...keptFiles].map((entry) => entry.path);
  expect(findDeadFiles(readSources(["src"]), paths)).toEqual([]);
});

test("a file that only dead files import is dead too", () => {
  const sources = [
    parseSource("src/main.ts", 'import { b } from "#base/b.ts";'),
    parseSource("src/base/b.ts", 'import type { C } from "#base/c.ts";'),
    parseSource("src/base/c.ts", "export type C = 1;"),
    parseSource("src/base/d.ts", 'import { e } from "#base/e.ts";'),
    parseSource("src/base/e.ts", "export const e = 1;"),
  ];
  expect(findDeadFiles(sources, ["src/main.ts"])).toEqual([
    "src/base/d.ts is reached from no entry",
    "src/base/e.ts is reached from no entry",
  ]);
});
