/**
 * Node for a target: the one that `npm ci` installed where the target is this machine, else fetched by npm into the build's
 * cache, by the repository's own lock file (so npm checks its integrity). Stripped of symbols: 117 MB instead of 153.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageJson, root, work } from "../paths.ts";
import { hasProgram, runCommand } from "../run-command.ts";
import type { Target } from "./targets.ts";

/** The path of a stripped Node for `target`, or of a whole one where no program here can strip it. */
export function nodeBinary(target: Target): string {
  const version = packageJson.optionalDependencies[target.nodePackage];
  if (version === undefined) throw new Error(`package.json does not name ${target.nodePackage}`);
  const folder = join(work, `${target.nodePackage}-${version}`);
  const stripped = join(folder, "node");
  if (existsSync(stripped)) return stripped;
  mkdirSync(folder, { recursive: true });
  const whole = installedNode(target) ?? fetchNode(target, folder);
  const stripper = target.strippers.find(hasProgram);
  if (stripper === undefined) {
    console.log(`none of ${target.strippers.join(", ")} is here: Node stays unstripped`);
    return whole;
  }
  const part = `${stripped}.part`;
  runCommand(stripper, ["-o", part, whole], { cwd: folder });
  renameSync(part, stripped);
  if (whole.startsWith(folder)) rmSync(whole);
  return stripped;
}

function installedNode(target: Target): string | undefined {
  const path = join(root, "node_modules", target.nodePackage, "bin/node");
  return existsSync(path) ? path : undefined;
}

/** A second installation of what the lock file names, as npm makes it on the target. */
function fetchNode(target: Target, folder: string): string {
  console.log(`npm fetches ${target.nodePackage}`);
  for (const name of ["package.json", "package-lock.json"]) {
    copyFileSync(join(root, name), join(folder, name));
  }
  const machine = [`--cpu=${target.arch}`, "--os=linux"];
  runCommand("npm", ["ci", ...machine, "--omit=dev", "--ignore-scripts"], { cwd: folder });
  const path = join(folder, "node");
  renameSync(join(folder, "node_modules", target.nodePackage, "bin/node"), `${path}.whole`);
  rmSync(join(folder, "node_modules"), { recursive: true });
  return `${path}.whole`;
}
