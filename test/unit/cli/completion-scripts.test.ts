/** Completion scripts: everything they offer exists, and everything that exists is offered. */
import { expect, test } from "vitest";
import { optionsOf } from "#cli/command.ts";
import { commands } from "#cli/command-table.ts";
import { completionScript, isShell, shells } from "#cli/completion-scripts.ts";

test("shells are known by name", () => {
  expect(["bash", "zsh", "fish", "tcsh", ""].map(isShell)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test.each(shells)("the script for %s has every command and every option", (shell) => {
  const text = completionScript(shell, commands).join("\n");
  for (const { name } of commands) {
    for (const word of name.split(" ")) expect(text).toContain(word);
  }
  const dashes = shell === "fish" ? "-l " : "--";
  for (const { name } of commands.flatMap(optionsOf)) expect(text).toContain(`${dashes}${name}`);
});

test("quotes and brackets of help texts do not break the scripts", () => {
  const command = {
    name: "odd",
    summary: "it's [odd]: $HOME `x`",
    description: ["Odd."],
    positionals: [],
    options: [{ name: "opt", value: "A:B", says: "it's [an]: option" }],
    shared: [],
    examples: [],
    run: async () => undefined,
  };
  const zsh = completionScript("zsh", [command]).join("\n");
  expect(zsh).toContain(`'odd:it'\\''s [odd]: $HOME \`x\`'`);
  expect(zsh).toContain(`'--opt[it'\\''s (an)\\: option]:A\\:B:'`);
  const fish = completionScript("fish", [command]).join("\n");
  expect(fish).toContain(`-d 'it\\'s [odd]: $HOME \`x\`'`);
  expect(completionScript("bash", [command]).join("\n")).not.toContain("HOME");
});
