/** Forbidden globals. */
import { expect, test } from "vitest";
import { readSources } from "./repository.ts";
import { checkGlobals } from "./rules/globals.ts";
import { parseSource } from "./source.ts";

function problems(text: string, path = "src/net/a.ts"): string[] {
  return checkGlobals(parseSource(path, text));
}

test("the sources reach for no forbidden global", () => {
  expect(readSources(["src"]).flatMap(checkGlobals)).toEqual([]);
});

test("each forbidden global is found", () => {
  const uses = [
    "Date.now();",
    "new Date();",
    "Math.random();",
    "performance.now();",
    "setTimeout(() => 1, 2);",
    "const later = setInterval;",
    "setImmediate(later);",
    "process.env.HOME;",
    "console.log(1);",
    "f({ process });",
    "crypto.getRandomValues(x);",
  ];
  expect(uses.filter((text) => problems(text).length !== 1)).toEqual([]);
  expect(problems("\nconst at = Date.now();")).toEqual(["src/net/a.ts:2 uses Date.now: use Clock"]);
});

test("members, keys, texts and comments that carry such a name are none", () => {
  const harmless = [
    "clock.now(); new Date(5); Math.max(1, 2);",
    "this.process(); job.console = 1; const job = { process: 1, console() {} };",
    "class Work { process() {} console = 1; }",
    "interface Work { process(): void; performance: number }",
    "async function fetch(url: string) {} await fetch('x');",
    "const f = (process: Step) => process.run();",
    "// setTimeout and Date.now\nconst text = 'process.env', more = `console`;",
  ];
  expect(harmless.flatMap((text) => problems(text))).toEqual([]);
});

test("the real world may, and main may name the process", () => {
  expect(problems("setTimeout(f, Date.now())", "src/platform/node/node-clock.ts")).toEqual([]);
  expect(problems("process.exitCode = 1;", "src/main.ts")).toEqual([]);
  expect(problems("console.log(1)", "src/main.ts")).toHaveLength(1);
});
