/** Headers, comments that promise work, default exports, tests that are switched off. */
import { expect, test } from "vitest";
import { codeFolders, readSources } from "./repository.ts";
import { checkComments, checkDefaultExports, checkHeader } from "./rules/style.ts";
import { checkSwitchedOff } from "./rules/switched-off.ts";
import { parseSource } from "./source.ts";

const everything = readSources(codeFolders);

test("every file says what it is", () => {
  expect(everything.flatMap(checkHeader)).toEqual([]);
});

test("a file without a header, and one with a mere word, are found", () => {
  const check = (text: string): number => checkHeader(parseSource("src/a.ts", text)).length;
  expect(check("/** Threads as the code sees them. */\nexport const a = 1;")).toBe(0);
  expect(check("export const a = 1;\n/** Says what it is, too late. */")).toBe(1);
  expect(check("/* helpers */\nexport const a = 1;")).toBe(1);
});

test("no comment promises work", () => {
  expect(everything.flatMap(checkComments)).toEqual([]);
});

test("a comment that promises work is found, a text is not", () => {
  const check = (text: string): string[] => checkComments(parseSource("src/a.ts", text));
  expect(check("x;\n// TODO later")).toEqual(["src/a.ts:2 leaves work in a comment"]);
  expect(check("/* a\n FIXME b */")).toHaveLength(1);
  expect(check("const x = 'TODO'; // a todo list is a noun")).toEqual([]);
});

test("nothing is exported by default", () => {
  expect(everything.flatMap(checkDefaultExports)).toEqual([]);
});

test("both spellings of a default export are found", () => {
  const check = (text: string): number => checkDefaultExports(parseSource("src/a.ts", text)).length;
  expect(check("export default class A {}")).toBe(1);
  expect(check("const a = 1; export { a as default };")).toBe(1);
  expect(check("export class A {}")).toBe(0);
});

test("no test is switched off", () => {
  expect(readSources(["test"]).flatMap(checkSwitchedOff)).toEqual([]);
});

test("tests that are switched off are found", () => {
  const check = (text: string): number => checkSwitchedOff(parseSource("a.test.ts", text)).length;
  expect(check("test.only('x', f);")).toBe(1);
  expect(check("test.concurrent.skip('x', f);")).toBe(1);
  expect(check("describe.skipIf(true)('x', f);")).toBe(1);
  expect(check("it.todo('x');")).toBe(1);
  expect(check("test('x', (context) => context.skip('why')); list.only(1);")).toBe(0);
});
