/**
 * The program and its worker threads as one CommonJS script each, which is what the single executable takes (an ESM main
 * starts 70 ms slower). Not minified, so that a stack trace names what failed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import { locateWorker, workerAssets } from "#platform/node/node-workers.ts";
import { root } from "../paths.ts";

export interface Bundle {
  readonly main: string;
  /** Asset name to script file. */
  readonly workers: Readonly<Record<string, string>>;
  /** Foreign packages that are inside, sorted. */
  readonly packages: readonly string[];
}

/** Esbuild takes names without endings. */
interface EntryPoint {
  readonly out: string;
  readonly in: string;
}

/** Writes the scripts below `folder`. */
export async function bundleProgram(folder: string): Promise<Bundle> {
  const workers = workerEntryPoints();
  const result = await build({
    absWorkingDir: root,
    entryPoints: [{ out: "main", in: "src/main.ts" }, ...workers],
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node26",
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    // There are no files beside the executable; whoever asks for the module's place does so only when run from sources.
    define: { "import.meta.url": '"file:///cairn/executable"' },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  const scripts = workers.map(({ out }) => [`${out}.js`, join(folder, `${out}.cjs`)]);
  return {
    main: join(folder, "main.cjs"),
    workers: Object.fromEntries(scripts) as Record<string, string>,
    packages: packagesOf(result.metafile),
  };
}

/** The threads that the program knows, under the names by which it asks for them. */
function workerEntryPoints(): EntryPoint[] {
  const entries = Object.keys(workerAssets) as (keyof typeof workerAssets)[];
  return entries.map((entry) => {
    const code = locateWorker(entry);
    if (!("file" in code)) throw new Error("the build runs from the sources");
    return { out: workerAssets[entry].replace(/\.js$/, ""), in: fileURLToPath(code.file) };
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
