/** Real children: ends, limits, deadlines, and what is left behind. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AppError, hasCode } from "#base/app-error.ts";
import type { CommandOptions } from "#platform/commands.ts";
import { findProgram, nodeCommands } from "#platform/node/node-commands.ts";
import { needs } from "../../../support/needs.ts";
import { freezableFileSystemNeeds, SmallFileSystem } from "../../../support/small-file-system.ts";

const commands = nodeCommands();
const limits: CommandOptions = { deadlineMs: 10_000, maxOutputBytes: 100_000 };
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cairn-commands-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return "ended";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function shell(script: string, options: Partial<CommandOptions> = {}) {
  return commands.run("sh", ["-c", script], { ...limits, ...options });
}

function isAlive(processId: number): boolean {
  try {
    // A zombie that nobody has waited for yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${processId}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function gone(processId: number): Promise<boolean> {
  for (let tries = 0; tries < 200 && isAlive(processId); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return !isAlive(processId);
}

async function written(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (existsSync(path) && readFileSync(path, "utf8").endsWith("\n")) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return readFileSync(path, "utf8").trim();
}

test("a program's output and code come back, whatever the code", async () => {
  expect(await shell("echo out; echo err >&2; exit 3")).toEqual({
    ...{ code: 3, stdout: "out\n", stderr: "err\n" },
  });
});

test("parameters are no shell's business", async () => {
  const odd = ["$HOME `id`", "a b", "*", "'\"", "ü"];
  const { stdout } = await commands.run("printf", ["%s\\n", ...odd], limits);
  expect(stdout).toBe(`${odd.join("\n")}\n`);
});

test("input is given and its end is seen, also by programs that do not read it", async () => {
  const input = "x".repeat(500_000);
  const { stdout } = await commands.run("wc", ["-c"], { ...limits, input });
  expect(Number(stdout)).toBe(500_000);
  expect((await commands.run("true", [], { ...limits, input })).code).toBe(0);
});

test("children see a small environment of ours and nothing of the process", async () => {
  const { stdout } = await commands.run("env", [], limits);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names.sort()).toEqual(["HOME", "LC_ALL", "PATH", "TZ"]);
});

test("a program that is not there, or may not be run, is missing", async () => {
  const plain = join(folder, "plain");
  writeFileSync(plain, "no program");
  for (const program of ["no-such-program-of-ours", "/no/such/program", plain, "", "../bin/sh"]) {
    expect(await codeOf(commands.run(program, [], limits))).toBe("command-missing");
  }
  expect(findProgram("sh")).toMatch(/\/sh$/);
});

test("what cannot be started is said to be so", async () => {
  const long = "x".repeat(200_000);
  expect(await codeOf(commands.run("true", [long], limits))).toBe("command-not-started");
  expect(await codeOf(commands.run("true", ["a\0b"], limits))).toBe("command-not-started");
});

test("a program that a signal ended has no code", async () => {
  expect((await shell("kill -9 $$")).code).toBeUndefined();
});

test("at the deadline a program is asked to end, and what it started goes with it", async () => {
  const script = `trap 'echo asked > ${folder}/asked; exit 0' TERM; sleep 60 & echo $! > ${folder}/pid; wait`;
  const run = shell(script, { deadlineMs: 500 });
  const child = Number(await written(join(folder, "pid")));
  expect(await codeOf(run)).toBe("command-hung");
  expect(await written(join(folder, "asked"))).toBe("asked");
  expect(await gone(child)).toBe(true);
});

test("one that does not want to end is ended", async () => {
  const beginMs = performance.now();
  const run = shell(`trap '' TERM; echo $$ > ${folder}/pid; while :; do sleep 0.1; done`, {
    deadlineMs: 200,
  });
  const child = Number(await written(join(folder, "pid")));
  expect(await codeOf(run)).toBe("command-hung");
  expect(performance.now() - beginMs).toBeLessThan(5000);
  expect(await gone(child)).toBe(true);
});

test("too much output on either side ends it", async () => {
  expect(await codeOf(commands.run("yes", [], limits))).toBe("command-output-too-large");
  expect(await codeOf(shell("yes >&2"))).toBe("command-output-too-large");
  const whole = await shell("head -c 100000 /dev/zero", {});
  expect(whole.stdout).toHaveLength(100_000);
});

test("whoever does not want it any more ends it", async () => {
  const aborting = new AbortController();
  const run = shell(`echo $$ > ${folder}/pid; exec sleep 60`, { signal: aborting.signal });
  const child = Number(await written(join(folder, "pid")));
  aborting.abort(new Error("no longer wanted"));
  await expect(run).rejects.toThrow("no longer wanted");
  expect(await gone(child)).toBe(true);
  await expect(shell("true", { signal: aborting.signal })).rejects.toThrow("no longer wanted");
});

test("an end is not held up by what was left behind with the output open", async () => {
  const beginMs = performance.now();
  const { stdout } = await shell(`setsid sleep 30 & echo $! > ${folder}/pid; echo done`);
  expect(stdout).toBe("done\n");
  expect(performance.now() - beginMs).toBeLessThan(5000);
  process.kill(Number(await written(join(folder, "pid"))), "SIGKILL");
});

needs(...freezableFileSystemNeeds)("what the kernel holds is left behind", async () => {
  using disk = new SmallFileSystem(16);
  disk.freeze();
  const beginMs = performance.now();
  const run = commands.run("touch", [join(disk.path, "new")], { ...limits, deadlineMs: 300 });
  const error = await run.catch((one: unknown) => one);
  expect(performance.now() - beginMs).toBeLessThan(2500);
  const { code, details } = error as AppError;
  expect({ code, details }).toMatchObject({ code: "command-hung", details: { abandoned: true } });
  disk.thaw();
  expect(await gone(Number(details.processId))).toBe(true);
});

test("the errors are of the code base", async () => {
  const error = await commands.run("no-such-program-of-ours", [], limits).catch((one) => one);
  expect(hasCode(error, "command-missing")).toBe(true);
  expect(error.message).toMatch(/install the package/);
});
