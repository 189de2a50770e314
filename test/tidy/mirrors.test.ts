/** Source files and the tests of their name. */
import { expect, test } from "vitest";
import { mirrorExemptions } from "./mirror-exemptions.ts";
import { readSources } from "./repository.ts";
import { findMissingMirrors } from "./rules/mirrors.ts";
import { parseSource } from "./source.ts";

const code = parseSource("src/base/a.ts", "export function a() {}");
const words = parseSource("src/base/b.ts", "export interface B { c(): void }\nexport const d = 1;");

test("every source file that does something has its test", () => {
  const missing = findMissingMirrors(readSources(["src"]), readSources(["test"]), mirrorExemptions);
  expect(missing).toEqual([]);
});

test("a function without a test of its file's name is found, an interface needs none", () => {
  expect(findMissingMirrors([code, words], [], [])).toEqual([
    "src/base/a.ts has no test/unit/base/a.test.ts",
  ]);
  const test = parseSource("test/integration/base/a.test.ts", "");
  expect(findMissingMirrors([code], [test], [])).toEqual([]);
});

test("a test of the same folder may test several files, one of another folder may not", () => {
  const text = 'import { a } from "#base/a.ts";';
  const near = parseSource("test/unit/base/several.test.ts", text);
  const far = parseSource("test/unit/net/other.test.ts", text);
  const fuzz = parseSource("test/fuzz/base/a.test.ts", text);
  expect(findMissingMirrors([code], [near], [])).toEqual([]);
  expect(findMissingMirrors([code], [far, fuzz], [])).toHaveLength(1);
});

test("an exemption covers its file or folder, and is refused once it is not needed", () => {
  const exemption = { path: "src/base/", reason: "why" };
  expect(findMissingMirrors([code], [], [exemption])).toEqual([]);
  expect(findMissingMirrors([words], [], [exemption])).toEqual([
    "the exemption of src/base/ is not needed: remove it",
  ]);
});
