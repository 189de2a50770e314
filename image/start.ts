/**
 * `npm start` and `npm run cairn`: runs the program as one script, made of the sources where none of the same sources is there
 * yet. From the sources themselves every start would strip the types of 350 files, in each thread, which takes four times as
 * long and half as much memory again. This process then becomes the program: same PID, same signals, same exit code.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { debuglog } from "node:util";
import { root, work } from "./paths.ts";
import { runtimeFlags } from "./runtime-flags.ts";

/** One folder for each state of the sources, which a program that runs may still start threads from. */
const bundles = join(work, "run");
const keptBundles = 4;
/** What a bundle is made of, beside `src/`. */
const ingredients = ["package-lock.json", "image/binary/bundle.ts"];
/** Shown with `NODE_DEBUG=cairn`. */
const log = debuglog("cairn");

async function start(args: readonly string[]): Promise<never> {
  const environment = { ...process.env };
  const script = await currentBundle().catch((error: unknown) => {
    log("no bundle, so the sources run: %s", error);
    return undefined;
  });
  if (script === undefined) environment.NODE_COMPILE_CACHE ??= join(work, "compile");
  const main = script ?? join(root, "src/main.ts");
  if (process.execve === undefined) throw new Error("only Linux and macOS replace a process");
  return process.execve(
    process.execPath,
    [process.execPath, ...runtimeFlags, main, ...args],
    environment,
  );
}

/** The program's script. Rejects where esbuild is not installed (`npm ci --omit=dev`) or nothing can be written. */
async function currentBundle(): Promise<string> {
  const folder = join(bundles, keyOfSources());
  const script = join(folder, "main.cjs");
  if (statSync(script, { throwIfNoEntry: false }) !== undefined) return script;
  // From a thread esbuild would leave a process behind, which nobody waits for once this one is another program.
  process.env.ESBUILD_WORKER_THREADS = "0";
  const { bundleProgram } = await import("./binary/bundle.ts");
  const part = join(bundles, `part-${randomUUID()}`);
  mkdirSync(part, { recursive: true });
  try {
    bundleProgram(part, "node");
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    // Another start was faster.
    if (statSync(script, { throwIfNoEntry: false }) === undefined) throw error;
  }
  forgetOldBundles();
  return script;
}

function keyOfSources(): string {
  const entries = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true });
  const sources = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
  const paths = sources.map((entry) => join(entry.parentPath, entry.name)).sort();
  const key = createHash("sha256").update(process.version);
  for (const path of [...ingredients.map((name) => join(root, name)), ...paths]) {
    key.update(`\0${path}\0`).update(readFileSync(path));
  }
  return key.digest("hex").slice(0, 16);
}

/** Parts that were never finished go the same way. */
function forgetOldBundles(): void {
  const folders = readdirSync(bundles).map((name) => join(bundles, name));
  const ages = folders.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ path, modifiedMs: found.mtimeMs }];
  });
  const oldest = ages.sort((one, other) => other.modifiedMs - one.modifiedMs).slice(keptBundles);
  for (const { path } of oldest) rmSync(path, { recursive: true, force: true });
}

await start(process.argv.slice(2));
