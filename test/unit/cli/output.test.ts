/** Where data and messages go. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { errorText, errorValue, Output, printable } from "#cli/output.ts";
import { TestTerminal } from "../../support/test-world.ts";

function outputOf(options: { quiet?: boolean; json?: boolean } = {}, environment = {}) {
  const terminal = new TestTerminal();
  const all = { json: options.json ?? false, quiet: options.quiet ?? false, environment };
  return { terminal, output: new Output(terminal, all) };
}

test("data goes to one stream, messages to the other", async () => {
  const { terminal, output } = outputOf();
  await output.lines(["a", "b"]);
  await output.lines([]);
  output.note("c");
  output.warn("d");
  output.error(new AppError("x", "e"));
  expect(terminal.text).toBe("a\nb\n");
  expect(terminal.errors).toBe("c\ncairn: warning: d\ncairn: error: e\n");
});

test("quiet keeps warnings and errors", () => {
  const { terminal, output } = outputOf({ quiet: true });
  output.note("c");
  output.warn("d");
  expect(terminal.errors).toBe("cairn: warning: d\n");
});

test("progress is for people at a terminal", () => {
  for (const [options, shows] of [
    [{}, true],
    [{ quiet: true }, false],
    [{ json: true }, false],
  ] as const) {
    const terminal = new TestTerminal();
    terminal.errorIsTerminal = true;
    const all = { json: false, quiet: false, environment: {}, ...options };
    expect(new Output(terminal, all).showsProgress).toBe(shows);
  }
  expect(outputOf().output.showsProgress).toBe(false);
});

test("nobody's bytes steer the terminal", () => {
  const { terminal, output } = outputOf();
  output.error(new AppError("x", "bad \u001b[2Jname\u0007"));
  expect(terminal.errors).toBe("cairn: error: bad ?[2Jname?\n");
  expect(printable("a\tb\nc\u009b")).toBe("a\tb\nc?");
});

test("errors have a text for people and a code for programs", () => {
  const cause = new Error("low");
  expect(errorText(new AppError("x", "high", { cause }))).toBe("high");
  expect(errorText(new Error("high", { cause }))).toBe("high (low)");
  expect(errorValue(new AppError("x", "y"))).toEqual({ code: "x", message: "y" });
  expect(errorValue(new Error("y"))).toEqual({ code: "internal-error", message: "y" });
});
