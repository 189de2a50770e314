/**
 * The client library for other people's programs: `dist/client` is a package of one ESM file with its types, which needs
 * nothing but Node.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { dist, packageJson, root, work } from "../paths.ts";
import { runCommand } from "../run-command.ts";

const entry = "client/open-client";
/** What `package.json` names. */
const script = "cairn-client.js";
const folder = join(dist, "client");
const types = join(folder, "types");

/** Writes `dist/client`. */
export async function buildClientPackage(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(types, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [`src/${entry}.ts`],
    outfile: join(folder, script),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    logLevel: "warning",
  });
  declareTypes();
  const manifest = {
    name: "@cairn/client",
    version: packageJson.version,
    description:
      "FastDFS client: upload, download, metadata, over trackers or straight to a storage",
    license: packageJson.license,
    type: "module",
    engines: { node: ">=22" },
    exports: { types: `./types/${entry}.d.ts`, default: `./${script}` },
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(join(folder, "LICENSE"), readFileSync(join(root, "LICENSE")));
  console.log(folder);
}

function declareTypes(): void {
  const config = join(work, "client-types.json");
  mkdirSync(work, { recursive: true });
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, "src"),
    outDir: types,
  };
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions,
    include: [],
    files: [join(root, `src/${entry}.ts`)],
  };
  writeFileSync(config, JSON.stringify(settings));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  runCommand(process.execPath, [compiler, "-p", config], { cwd: root });
  for (const name of readdirSync(types, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".d.ts")) nameFilesRelatively(join(types, name));
  }
}

/** `#net/frame-client.ts` means something inside of our sources only. */
function nameFilesRelatively(path: string): void {
  const text = readFileSync(path, "utf8");
  const relativeText = text.replace(/(["'])#([^"']+)\.ts\1/g, (_, _quote, target: string) => {
    const to = relative(dirname(path), join(types, target));
    return `"${to.startsWith(".") ? to : `./${to}`}.js"`;
  });
  writeFileSync(path, relativeText);
}
