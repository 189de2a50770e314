/**
 * The program and its worker threads as one CommonJS script each (an ESM main starts 70 ms slower, and the single executable
 * takes nothing else). Not minified, so that a stack trace names what failed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync, type Metafile } from "esbuild";
import { locateWorker, workerScripts } from "#platform/node/node-workers.ts";
import { root } from "../paths.ts";

export interface Bundle {
  readonly main: string;
  /** Asset name to script file. */
  readonly workers: Readonly<Record<string, string>>;
  /** Foreign packages that are inside, sorted. */
  readonly packages: readonly string[];
}

/** Who runs the scripts. */
export type Runner = "executable" | "node";

/** Esbuild takes names without endings. */
interface EntryPoint {
  readonly out: string;
  readonly in: string;
}

const scriptEnding = ".cjs";

const runnerOptions = {
  // There are no files beside the executable; whoever asks for the module's place does so only when run from sources.
  executable: { define: { "import.meta.url": '"file:///cairn/executable"' } },
  // The scripts lie below `node_modules`, where the addon is found, and have their maps beside them.
  node: {
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    external: ["better-sqlite3"],
    sourcemap: "linked",
  },
} as const satisfies Readonly<Record<Runner, BuildOptions>>;

/** Writes the scripts below `folder`. */
export function bundleProgram(folder: string, runner: Runner): Bundle {
  const workers = workerEntryPoints();
  const result = buildSync({
    absWorkingDir: root,
    entryPoints: [{ out: "main", in: "src/main.ts" }, ...workers],
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node26",
    format: "cjs",
    outExtension: { ".js": scriptEnding },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    ...runnerOptions[runner],
  });
  const scripts = workers.map(({ out }) => [
    `${out}${scriptEnding}`,
    join(folder, `${out}${scriptEnding}`),
  ]);
  return {
    main: join(folder, `main${scriptEnding}`),
    workers: Object.fromEntries(scripts) as Record<string, string>,
    packages: packagesOf(result.metafile),
  };
}

/** The threads that the program knows, under the names by which it asks for them. */
function workerEntryPoints(): EntryPoint[] {
  const entries = Object.keys(workerScripts) as (keyof typeof workerScripts)[];
  return entries.map((entry) => {
    const code = locateWorker(entry);
    if (!("file" in code)) throw new Error("the build runs from the sources");
    const out = workerScripts[entry].slice(0, -scriptEnding.length);
    return { out, in: fileURLToPath(code.file) };
  });
}

function packagesOf(metafile: Metafile): string[] {
  const pattern = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//;
  const names = Object.keys(metafile.inputs).flatMap((path) => pattern.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** The licences of what is inside, as their packages carry them. */
export function licenseTexts(packages: readonly string[]): string {
  const texts = packages.map((name) => {
    const folder = join(root, "node_modules", name);
    return `${name}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(72)}\n\n`);
}
