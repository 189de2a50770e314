/** Sizes of files, functions and parameter lists. */
import { expect, test } from "vitest";
import { codeFolders, readSources } from "./repository.ts";
import { checkSizes, maxFileLines, maxFunctionLines } from "./rules/sizes.ts";
import { parseSource } from "./source.ts";

function problems(text: string): string[] {
  return checkSizes(parseSource("src/net/a.ts", text));
}

/** `before`, then as many lines that `{`, `}` and quotes in them cannot confuse, then `after`. */
function lines(count: number, before: string, after: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text
  const hard = ["x = '{';", "x = `{${`}`}`;", "x = /[{]/;", "// {"];
  const body = Array.from({ length: count - 2 }, (_, index) => hard[index % hard.length]);
  return [before, ...body, after].join("\n");
}

test("the code keeps to its sizes", () => {
  expect(readSources(codeFolders).flatMap(checkSizes)).toEqual([]);
});

test("a file may have as many lines as the limit and no more", () => {
  expect(problems("x;\n".repeat(maxFileLines))).toEqual([]);
  expect(problems("x;\n".repeat(maxFileLines + 1))).toEqual([
    `src/net/a.ts has ${maxFileLines + 1} lines: split it`,
  ]);
});

test("functions of every kind are measured", () => {
  const kinds: readonly (readonly [string, string])[] = [
    ["function f() {", "}"],
    ["const f = () => {", "};"],
    ["const f = async function* () {", "};"],
    ["class C { m() {", "} }"],
    ["class C { #m = (x: number): void => {", "}; }"],
    ["class C { constructor() {", "} }"],
    ["class C { get m() {", "} }"],
    ["const o = { m() {", "} };"],
    ["call(() => {", "});"],
  ];
  for (const [before, after] of kinds) {
    expect(problems(lines(maxFunctionLines, before, after))).toEqual([]);
    expect(problems(lines(maxFunctionLines + 1, before, after))).toEqual([
      `src/net/a.ts:1 is a function of ${maxFunctionLines + 1} lines`,
    ]);
  }
});

test("a fourth positional parameter is one too many", () => {
  expect(problems("function f(this: X, a: A, b: B, c: C) {}")).toEqual([]);
  expect(problems("const f = (a: A, b: B, c: C, d: D) => 1;")).toEqual([
    "src/net/a.ts:1 takes 4 parameters",
  ]);
});
