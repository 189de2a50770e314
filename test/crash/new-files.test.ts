/**
 * Goal: new files that are not staged, because nothing is flushed, are there as a whole or not at all, whenever the process is killed.
 * Method: `endless-creates.ts` is killed at random moments, mostly in the middle of a batch, and its store path is opened again. Every
 * answered file must be there; every file must be whole and recorded; every record that stands must have its file. Some of the kills
 * must have left records without their files. Kills and seed as in `crash.test.ts`.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { openEngine } from "../support/engine-fixture.ts";
import { runSeed } from "../support/run-seed.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { lastRecords, listStore, wrongContent } from "./store-audit.ts";

const kills = Number(process.env.CAIRN_CRASH_KILLS ?? "20");
const seed = runSeed;
const creator = fileURLToPath(new URL("endless-creates.ts", import.meta.url));
const startLimitMs = 20_000;
const root = mkdtempSync(join(tmpdir(), "cairn-creates-"));

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs the creator and kills it; the names that it was answered. */
async function createUntilKilled(
  directory: string,
  how: { readonly afterMs: number; readonly seed: number },
): Promise<readonly string[]> {
  const answers = `${directory}.answers`;
  const args = [creator, directory, answers, String(how.seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    await expect.poll(() => linesOf(answers)[0], { timeout: startLimitMs }).toBe("ready");
    await new Promise((resolve) => setTimeout(resolve, how.afterMs));
    expect(child.exitCode).toBe(null);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
  return linesOf(answers).slice(1);
}

function linesOf(path: string): readonly string[] {
  try {
    // The last line may be cut off.
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

/** Opens what is left; how many records had no whole file. */
function reopen(directory: string): number {
  using files = new NodeFiles();
  const logs: LogRecord[] = [];
  openEngine({ files, directory, settings: { durability: "relaxed" }, logs }).close();
  const found = logs.filter(({ event }) => event === "new-files-not-whole");
  return found.reduce((sum, { data }) => sum + Number(data.missing) + Number(data.removed), 0);
}

function audit(directory: string, answered: readonly string[]): void {
  const { names, temporary } = listStore(directory);
  expect(temporary).toEqual([]);
  const there = new Set(names);
  expect(answered.filter((name) => !there.has(name))).toEqual([]);
  expect(names.filter((name) => wrongContent(directory, name) !== undefined)).toEqual([]);
  const records = lastRecords(directory);
  expect(names.filter((name) => records.get(name) !== "C")).toEqual([]);
  const recorded = [...records].filter(([, operation]) => operation === "C");
  expect(recorded.map(([name]) => name).filter((name) => !there.has(name))).toEqual([]);
}

test(`no part of a new file is shown, and no answered one lost, in ${kills} kills, seed ${seed}`, async () => {
  const random = seededRandom(seed);
  let answers = 0;
  let undone = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const directory = join(root, String(kill));
    mkdirSync(directory);
    const how = { afterMs: random.below(60), seed: seed + kill };
    const answered = await createUntilKilled(directory, how);
    undone += reopen(directory);
    audit(directory, answered);
    answers += answered.length;
    rmSync(directory, { recursive: true });
  }
  expect(answers).toBeGreaterThan(kills);
  expect(undone).toBeGreaterThan(0);
});
