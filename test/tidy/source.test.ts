/** What the rules stand on: reading one file. */
import { expect, test } from "vitest";
import { parseSource } from "./source.ts";

test("every kind of import is found, with its line, its names and its file", () => {
  const text = [
    'import { a, type B as C } from "#base/a.ts";',
    'import whole from "package/part";',
    'export { d } from "./d.ts";',
    'export * from "../e.ts";',
    'const f = await import("#net/f.ts");',
    'let g: import("#model/g.ts").G;',
    'new URL("./worker/h.ts", import.meta.url);',
    'const text = \'import x from "#no/import.ts"\'; // import y from "#no/import.ts"',
  ].join("\n");
  const { imports } = parseSource("src/one/two.ts", text);
  expect(imports.filter((item) => item.kind === "place").map((item) => item.line)).toEqual([7]);
  expect(imports.map(({ line, names, target }) => [line, names, target])).toEqual([
    [1, ["a", "B"], "src/base/a.ts"],
    [2, ["default"], undefined],
    [3, ["d"], "src/one/d.ts"],
    [4, ["*"], "src/e.ts"],
    [5, ["*"], "src/net/f.ts"],
    [6, ["*"], "src/model/g.ts"],
    [7, ["*"], "src/one/worker/h.ts"],
  ]);
});

test("the header is the comment before everything else, and lines count from one", () => {
  const source = parseSource("a.ts", "/** First. */\n// second\nconst x = 1;\n");
  expect(source.header).toBe("* First. ");
  expect(source.comments.map((comment) => comment.line)).toEqual([1, 2]);
  expect([0, 13, 14, 24].map(source.lineAt)).toEqual([1, 1, 2, 3]);
  expect(parseSource("b.ts", "\n/** Late. */").header).toBeUndefined();
});

test("what is not TypeScript is refused", () => {
  expect(() => parseSource("a.ts", "const = ;")).toThrow(/a\.ts/);
});
