/** Help texts. */
import { expect, test } from "vitest";
import { optionsOf } from "#cli/command.ts";
import { commandGroups, commands } from "#cli/command-table.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { helpLines, usageOf, wrapText } from "#cli/help.ts";
import { styleFor } from "#cli/render/style.ts";

const parts = { groups: commandGroups, style: styleFor(false, {}) };
const help = (...words: readonly string[]): string => helpLines(words, parts).join("\n");

test("the overview names every command with its summary", () => {
  const text = help();
  for (const { name, summary } of commands) expect(text).toMatch(new RegExp(`${name} +${summary}`));
});

test("the help of a command names its arguments, options and examples", () => {
  for (const command of commands) {
    const text = help(...command.name.split(" "));
    for (const option of optionsOf(command)) expect(text).toContain(`--${option.name}`);
    for (const { name } of command.positionals) expect(text).toContain(name);
    for (const { line, says } of command.examples) {
      expect(text).toContain(line);
      expect(text).toContain(says);
    }
    expect(text).toContain(usageOf(command));
  }
});

test("no line is too long for a terminal, but examples", () => {
  const texts = [
    [],
    ["exit-codes"],
    ["environment"],
    ...commands.map(({ name }) => name.split(" ")),
  ];
  const lines = texts.flatMap((words) => [...helpLines(words, parts)]);
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
});

test("exit codes are all explained", () => {
  const text = help("exit-codes").replaceAll(/\s+/g, " ");
  for (const { code, says } of Object.values(exitCodes)) expect(text).toContain(`${code} ${says}`);
});

test("families, and words that are none", () => {
  expect(help("meta")).toContain("meta merge");
  expect(help("ls")).toContain("Usage: cairn ls [options]");
  expect(() => help("pit")).toThrow("did you mean put?");
  expect(() => help("exitcodes")).toThrow("did you mean exit-codes?");
  expect(() => help("qwertyuiop")).toThrow("see cairn help");
});

test("text is wrapped at blanks", () => {
  expect(wrapText("aa bb cc", 5)).toEqual(["aa bb", "cc"]);
  expect(wrapText("toolongword a", 5)).toEqual(["toolongword", "a"]);
});
