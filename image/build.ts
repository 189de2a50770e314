/**
 * `npm run build`: the client package and the single executables, into `dist/`. Names of what to build may follow
 * (`npm run build -- x64`); without any, everything is built.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleProgram, licenseTexts } from "./binary/bundle.ts";
import { buildExecutable } from "./binary/single-executable.ts";
import { targets } from "./binary/targets.ts";
import { buildClientPackage } from "./client/client-package.ts";
import { dist, packageJson, root, work } from "./paths.ts";

async function main(names: readonly string[]): Promise<void> {
  checkNode();
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name);
  if (wanted("client")) await buildClientPackage();
  const machines = targets.filter((target) => wanted(target.arch));
  if (machines.length === 0) return;
  const bundle = bundleProgram(join(work, "bundle"), "executable");
  for (const target of machines) buildExecutable(target, bundle);
  const inside = [...bundle.packages, `node-linux-${process.arch}`];
  writeFileSync(join(dist, "third-party-licenses.txt"), licenseTexts(inside));
}

/** The executable is made by the Node that goes into it. */
function checkNode(): void {
  for (const { nodePackage } of targets) {
    const version = packageJson.optionalDependencies[nodePackage];
    if (process.version === `v${version}`) continue;
    throw new Error(
      `Node ${version} builds, not ${process.version}: run "npm run build" in ${root}`,
    );
  }
}

await main(process.argv.slice(2));
