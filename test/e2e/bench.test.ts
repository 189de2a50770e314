/**
 * The benchmarks as somebody runs them from a checkout, as short as they can be: they must end by themselves, tell what they
 * measured and leave nothing but their results. Figures are of no interest here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

interface Ended {
  readonly code: number | null;
  readonly text: string;
  readonly errors: string;
}

function script(name: string): string {
  return fileURLToPath(new URL(`../bench/${name}`, import.meta.url));
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process group of its own, as a shell makes one; `while` sees what it says. */
function run(
  words: readonly string[],
  watch: (errors: string, child: ChildProcess) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...words], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [text, errors] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    errors += more;
    watch(errors, child);
  });
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, text, errors }));
  });
}

function ownBench(folder: string, ...words: readonly string[]): readonly string[] {
  mkdirSync(join(folder, "data"));
  const places = ["--directory", join(folder, "data"), "--out", join(folder, "out")];
  return [script("run.ts"), ...places, "--nodes", "relaxed,flushed", "--rounds", "1", ...words];
}

test("npm run bench measures nodes of its own and leaves its results", async () => {
  const folder = newFolder();
  const steps = ["--step", "upload:4KiB:4", "--step", "query-store:2", "--duration", "100ms"];
  const { code, text, errors } = await run(ownBench(folder, ...steps));
  expect([code, errors.match(/error|warning/)]).toEqual([0, null]);
  for (const line of ["upload 4KiB x4", "query-store x2"]) {
    expect(text).toMatch(new RegExp(`^${line} +relaxed .* relaxed +\\w`, "m"));
    expect(text).toMatch(new RegExp(`^${line} +flushed .* flushed +\\w`, "m"));
  }
  expect(readdirSync(join(folder, "data"))).toEqual([]);
  const [stamp = ""] = readdirSync(join(folder, "out"));
  expect(errors).toContain(`results: ${join(folder, "out", stamp)}/bench.json and bench.svg`);
  const report = JSON.parse(readFileSync(join(folder, "out", stamp, "bench.json"), "utf8"));
  expect(report.targets.map(({ name }: { name: string }) => name)).toEqual(["relaxed", "flushed"]);
  expect(readFileSync(join(folder, "out", stamp, "bench.svg"), "utf8")).toContain("<svg");
});

test("Ctrl-C ends it with its nodes and their data", async () => {
  const folder = newFolder();
  let asked = false;
  const { code, errors } = await run(ownBench(folder, "--duration", "60s"), (said, child) => {
    if (asked || !said.includes("starting a node: flushed")) return;
    asked = true;
    // The first step runs by then; a terminal tells the whole group.
    setTimeout(() => process.kill(-(child.pid ?? 0), "SIGINT"), 4000);
  });
  expect([code, errors.includes("deleting")]).toEqual([130, true]);
  expect(readdirSync(join(folder, "data"))).toEqual([]);
});

test("bench:compare takes turns and compares packed targets among themselves", async () => {
  const folder = newFolder();
  const generator = join(folder, "generator");
  // Twice the CPU and three times the time for whatever is not the reference; ids so that reads find some.
  writeFileSync(
    generator,
    `#!${process.execPath}
const words = process.argv.slice(2);
const value = (name) => words[words.indexOf(name) + 1];
const slow = value("-s") === "127.0.0.1:1";
if (words[0] === "upload") require("node:fs").writeFileSync(value("-f"), "id\\n");
const p99_us = slow ? 300 : 100;
const srv_cpu = slow ? 0.002 : 0.001;
console.log(JSON.stringify({ ops_s: 10, MB_s: 1, p50_us: 50, p99_us, srv_cpu, ok: 10, err: 0, neterr: 1 }));
`,
  );
  chmodSync(generator, 0o755);
  const target = (name: string, port: number, trait = ""): string =>
    `${name}=127.0.0.1:${port},127.0.0.1:9,${process.pid}${trait}`;
  const json = join(folder, "out.json");
  const { code, text } = await run([
    ...[script("compare.ts"), "--generator", generator, "--rounds", "2", "--json", json],
    ...["--steps", "up4k-16,down4k-16,pk4k-up-16"],
    ...[target("a", 1), target("c", 2), target("ap", 1, ",packed"), target("cp", 2, ",packed")],
  ]);
  expect(code).toBe(0);
  const cells = text.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const ratios = cells
    .slice(2)
    .map((line) => [line[1], line[2], line[7], line[9], line[11]].join(" "));
  expect(ratios.filter((line) => line.trim() !== "")).toEqual([
    ...["up4k-16 a 3.00 2.00 2", "up4k-16 c 1.00 1.00 2"],
    ...["down4k-16 a 3.00 2.00 2", "down4k-16 c 1.00 1.00 2"],
    ...["pk4k-up-16 ap 3.00 2.00 2", "pk4k-up-16 cp 1.00 1.00 2"],
  ]);
  const { rows } = JSON.parse(readFileSync(json, "utf8")) as {
    rows: readonly { peakMib: number }[];
  };
  expect(rows).toHaveLength(6);
  expect(rows[0]?.peakMib).toBeGreaterThan(1);
});

test("wrong words are answered with the usage", async () => {
  for (const words of [["run.ts", "--nodes", "fast"], ["run.ts", "--odd"], ["compare.ts"]]) {
    const [name = "", ...others] = words;
    const { code, errors } = await run([script(name), ...others]);
    expect([code, errors]).toEqual([2, expect.stringContaining("usage: npm run bench")]);
  }
});
