/** From words to commands: options anywhere, what is wrong is said with what was probably meant. */
import { expect, test } from "vitest";
import { commands } from "#cli/command-table.ts";
import { parseArguments } from "#cli/parse-arguments.ts";

function parse(...words: readonly string[]): unknown {
  const parsed = parseArguments(words, commands);
  if (parsed.kind !== "run") return parsed;
  return [parsed.command.name, ...parsed.arguments.positionals];
}

function problem(...words: readonly string[]): string {
  try {
    parse(...words);
  } catch (error) {
    expect(error).toMatchObject({ code: "usage" });
    return (error as Error).message;
  }
  return "none";
}

test("a command is found by one word or two", () => {
  expect(parse("put", "a", "b")).toEqual(["put", "a", "b"]);
  expect(parse("meta", "get", "id")).toEqual(["meta get", "id"]);
  expect(parse("ls")).toEqual(["ls"]);
  expect(parse("ls", "groups")).toEqual(["ls groups"]);
  expect(parse("put", "-")).toEqual(["put", "-"]);
});

test("options may stand anywhere, also glued, and not behind --", () => {
  const { arguments: given } = parseArguments(
    ["--json", "put", "a", "-m", "k=v", "--meta=l=w", "-qt", "host", "--", "--ext"],
    commands,
  ) as Extract<ReturnType<typeof parseArguments>, { kind: "run" }>;
  expect(given.positionals).toEqual(["a", "--ext"]);
  expect(given.values("meta")).toEqual(["k=v", "l=w"]);
  expect(given.values("tracker")).toEqual(["host"]);
  expect([given.has("json"), given.has("quiet"), given.has("yes")]).toEqual([true, true, false]);
  expect(given.value("ext")).toBeUndefined();
});

test("help and version are asked for in every usual way", () => {
  expect(parse()).toEqual({ kind: "help", words: [] });
  expect(parse("--help")).toEqual({ kind: "help", words: [] });
  expect(parse("help", "meta", "set")).toEqual({ kind: "help", words: ["meta", "set"] });
  expect(parse("meta", "set", "-h")).toEqual({ kind: "help", words: ["meta", "set"] });
  expect(parse("--version")).toEqual({ kind: "version" });
  expect(parse("-V")).toEqual({ kind: "version" });
});

test.each([
  [["putt"], "did you mean put?"],
  [["puts", "x"], "did you mean put?"],
  [["xyzzy"], "see cairn help"],
  [["meta"], "meta needs one more word: get, set, merge, clear"],
  [["meta", "gett"], "did you mean meta get?"],
  [["ls", "grups"], "did you mean ls groups?"],
  [["config"], "config needs one more word: show"],
  [["put"], "put needs FILE"],
  [["version", "x"], 'does not know what to do with "x"'],
  [["put", "x", "--trcker", "y"], "did you mean --tracker?"],
  [["put", "x", "--zzz"], "put has no option --zzz; see cairn help put"],
  [["id", "x", "--tracker", "y"], "id has no option --tracker"],
  [["put", "x", "--ext"], "--ext needs a value: --ext EXT"],
  [["put", "x", "--appender=yes"], "--appender takes no value"],
  [["put", "x", "--ext", "a", "--ext", "b"], "--ext may stand only once"],
])("%j: %s", (words, message) => {
  expect(problem(...words)).toContain(message);
});
