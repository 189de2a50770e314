/**
 * `npm start` without npm. Each test has a checkout of its own: copies of the sources, and a `node_modules` of links, so that
 * what is made of the sources is made anew.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { freePorts } from "../../support/free-ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const copied = ["src", "image", "package.json", "package-lock.json"];
const checkouts: string[] = [];

afterEach(() => {
  for (const path of checkouts.splice(0)) rmSync(path, { recursive: true, force: true });
});

function checkout(missing: readonly string[] = []): string {
  const path = mkdtempSync(join(tmpdir(), "cairn-checkout-"));
  checkouts.push(path);
  for (const name of copied) cpSync(join(root, name), join(path, name), { recursive: true });
  mkdirSync(join(path, "node_modules"));
  const packages = readdirSync(join(root, "node_modules")).filter((name) => name !== ".cache");
  for (const name of packages) {
    if (missing.includes(name)) continue;
    symlinkSync(join(root, "node_modules", name), join(path, "node_modules", name));
  }
  return path;
}

async function run(path: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(path, "image/start.ts"), ...args],
    { timeout: 20_000, env: { ...process.env, NODE_DEBUG: "cairn" } },
  );
  return `${stdout}${stderr}`;
}

function bundles(path: string): string[] {
  return readdirSync(join(path, "node_modules/.cache/cairn/run"));
}

test("two first starts at once make one bundle, and both run", async () => {
  const path = checkout();
  const outputs = await Promise.all([run(path, "version"), run(path, "version")]);
  expect(outputs.map((output) => output.startsWith("cairn "))).toEqual([true, true]);
  expect(bundles(path)).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
});

test("a start runs the sources of now", async () => {
  const path = checkout();
  await run(path, "version");
  const versionFile = join(path, "src/base/version.ts");
  writeFileSync(versionFile, '/** Changed. */\nexport const version = "98.76.5";\n');
  expect(await run(path, "version")).toContain("98.76.5");
  expect(bundles(path)).toHaveLength(2);
});

test("without esbuild the sources run as they are", async () => {
  const path = checkout(["esbuild"]);
  const output = await run(path, "version");
  expect(output).toMatch(/^cairn /);
  expect(output).toContain("no bundle, so the sources run");
});

test("the exit code is the program's", async () => {
  const path = checkout();
  await expect(run(path, "no-such-command")).rejects.toMatchObject({ code: 2 });
});

test("the process is the program: no other one is left, and a signal to it stops the node", async () => {
  const path = checkout();
  const [tracker, storage, gateway] = await freePorts(3);
  const ports = [`tracker.port=${tracker}`, `storage.port=${storage}`, `gateway.port=${gateway}`];
  const settings = ["node.bind=127.0.0.1", ...ports].flatMap((each) => ["--set", each]);
  const child = spawn(process.execPath, [join(path, "image/start.ts"), "serve", ...settings], {
    cwd: path,
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    await ready(child);
    const { pid } = child;
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain("/main.cjs");
    expect(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")).toBe("");
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (/\bready\b/.test(said)) resolve();
    });
    child.once("exit", () => reject(new Error(`the node ended: ${said}`)));
  });
}
