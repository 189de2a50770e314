import fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { TomlLines, type TomlPath } from "#config/toml-lines.ts";
import { formatTomlValue } from "#config/toml-text.ts";

function lines(text: string, ...paths: readonly TomlPath[]): readonly (number | undefined)[] {
  const located = new TomlLines(text);
  return paths.map((path) => located.lineOf(path));
}

test("keys of tables, dotted keys and quoted keys have their lines", () => {
  const text = [
    "top = 1 # [not.a.table]",
    "[a]",
    'b.c = "x = [1] # no comment"',
    "  [a . 'd.e' . \"f\\u0067\"]",
    "",
    "key = true",
    '"two words" = 2',
  ].join("\n");
  parse(text);
  expect(
    lines(
      text,
      ["top"],
      ["a"],
      ["a", "b"],
      ["a", "b", "c"],
      ["a", "d.e", "fg"],
      ["a", "d.e", "fg", "key"],
      ["a", "d.e", "fg", "two words"],
    ),
  ).toEqual([1, 2, 3, 3, 4, 6, 7]);
});

test("arrays of tables count their tables, and tables below them belong to the last one", () => {
  const text =
    "[[s.path]]\nd = 1\n[s.path.more]\nx = 1\n[[s.path]]\nd = 2\n[s.path.more]\nx = 2\n[[s.path.sub]]\ny = 1\n";
  parse(text);
  expect(
    lines(
      text,
      ["s", "path"],
      ["s", "path", 0, "d"],
      ["s", "path", 0, "more", "x"],
      ["s", "path", 1],
      ["s", "path", 1, "d"],
      ["s", "path", 1, "more", "x"],
      ["s", "path", 1, "sub", 0, "y"],
    ),
  ).toEqual([1, 2, 4, 5, 6, 8, 10]);
});

test("elements of arrays and inline tables have lines of their own", () => {
  const text = 'list = [\n  "a", # first\n  { x = 1,\n    y = [\n 2 ] },\n]\nnext = 1\n';
  parse(text);
  expect(
    lines(
      text,
      ["list"],
      ["list", 0],
      ["list", 1],
      ["list", 1, "x"],
      ["list", 1, "y"],
      ["list", 1, "y", 0],
      ["next"],
    ),
  ).toEqual([1, 2, 3, 3, 4, 5, 7]);
});

test("strings of several lines are skipped as a whole", () => {
  const text = [
    'a = """',
    "[no]",
    'x = "1" \\""" ""',
    'end"""""',
    "b = '''",
    "it's ''",
    "\\'''",
    "c = 1",
  ].join("\n");
  parse(text);
  expect(lines(text, ["a"], ["b"], ["c"], ["no"])).toEqual([1, 5, 8, undefined]);
});

test("a table that only a header further down mentions has the line of that header", () => {
  expect(lines("\n[a.b]\nc = 1\n[[x.y]]\n", ["a"], ["a", "b"], ["x"])).toEqual([2, 2, 4]);
});

test("the closest thing around a path answers for it", () => {
  expect(lines("\n[a]\nb = 1\n", ["a", "x", "y"], ["a", "b", 3], ["z"])).toEqual([2, 3, undefined]);
});

test("what stands before a mistake is known, and CRLF counts as one line", () => {
  expect(lines("a = 1\r\nb = 2\r\n= 3\r\nc = 4\r\n", ["a"], ["b"], ["c"])).toEqual([
    1,
    2,
    undefined,
  ]);
});

/**
 * Goal: the line of every key is right in any document. Method: documents are generated line by line together with the line
 * of each key, with comments, blank lines and values that hold characters of the syntax; the parser confirms that each
 * is TOML.
 */
test("every key of a generated document is found on its line", () => {
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/),
    fc.string({ minLength: 1, maxLength: 6 }),
  );
  const plain = fc.oneof(fc.string({ maxLength: 10 }), fc.integer(), fc.boolean());
  const value = fc.oneof(
    plain.map((each) => ({ text: formatTomlValue(each), lines: 1 })),
    fc.array(plain, { maxLength: 3 }).map((each) => ({ text: formatTomlValue(each), lines: 1 })),
    fc.array(plain, { maxLength: 3 }).map((each) => ({
      text: `[ # a [comment\n${each.map((item) => `${formatTomlValue(item)},\n`).join("")}]`,
      lines: each.length + 2,
    })),
    fc.constant({ text: '"""\n[x]\n#"""', lines: 3 }),
  );
  const table = fc.record({
    isArray: fc.boolean(),
    keys: fc.uniqueArray(fc.tuple(name, value), { maxLength: 4, selector: ([each]) => each }),
    blanks: fc.constantFrom("", "\n", "# c = 1\n", "\r\n\t# [x]\n"),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, table), { maxLength: 4, selector: ([each]) => each }),
      (tables) => {
        let text = "";
        let line = 1;
        const expected: (readonly [TomlPath, number])[] = [];
        const add = (written: string): void => {
          text += written;
          line += written.split("\n").length - 1;
        };
        for (const [tableName, { isArray, keys, blanks }] of tables) {
          for (let count = 0; count < (isArray ? 2 : 1); count += 1) {
            add(blanks);
            const base: TomlPath = isArray ? [tableName, count] : [tableName];
            expected.push([base, line]);
            add(
              isArray ? `[[${formatTomlValue(tableName)}]]\n` : `[${formatTomlValue(tableName)}]\n`,
            );
            for (const [key, { text: written }] of keys) {
              expected.push([[...base, key], line]);
              add(`${formatTomlValue(key)} = ${written}\n`);
            }
          }
        }
        parse(text);
        const located = new TomlLines(text);
        expect(expected.map(([path]) => located.lineOf(path))).toEqual(
          expected.map(([, at]) => at),
        );
      },
    ),
    { numRuns: 200 },
  );
});
