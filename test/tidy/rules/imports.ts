/** Imports go down the layers, and the outside world is reached through the platform alone. */
import { entries, ioModules, layers, packageHomes, pureModules, realWorld } from "../layers.ts";
import type { Import, Source } from "../source.ts";

/** What `source` imports and may not; empty for files outside of `src/`. */
export function checkImports(source: Source): string[] {
  if (!source.path.startsWith("src/")) return [];
  const problems = source.imports.map((item) => problemOf(source.path, item));
  return problems.filter((problem) => problem !== undefined);
}

function problemOf(path: string, item: Import): string | undefined {
  const why =
    item.target === undefined ? foreignProblem(path, item) : ownProblem(path, item, item.target);
  return why === undefined ? undefined : `${path}:${item.line} imports ${item.specifier}: ${why}`;
}

function ownProblem(path: string, item: Import, target: string): string | undefined {
  if (item.kind === "place") return placeProblem(path, target);
  if (!item.specifier.startsWith("#")) return "imports within src start with #";
  if (!target.endsWith(".ts")) return "name the file, with its ending";
  const from = folderOf(path);
  const to = folderOf(target);
  const allowed = layers.get(from);
  if (allowed === undefined) return `the folder ${from} is not in test/tidy/layers.ts`;
  if (from !== to && !allowed.includes(to)) return `${from} may not import ${to}`;
  if (isInternalElsewhere(path, target)) return "an internal folder is its parent's alone";
  const mayChooseWorld = path.startsWith(realWorld) || entries.some((entry) => entry.path === path);
  if (target.startsWith(realWorld) && !mayChooseWorld) return "take the interface as an argument";
  return undefined;
}

/** The real world starts threads by the place of their entry. */
function placeProblem(path: string, target: string): string | undefined {
  const isEntry = entries.some((entry) => entry.path === target);
  return path.startsWith(realWorld) && isEntry
    ? undefined
    : "only entries are named by their place";
}

function foreignProblem(path: string, item: Import): string | undefined {
  if (path.startsWith(realWorld)) return undefined;
  if (item.specifier.startsWith("node:")) return nodeProblem(path, item);
  const homes = packageHomes.get(packageName(item.specifier));
  if (homes === undefined) return "the package has no home in test/tidy/layers.ts";
  return homes.some((home) => path.startsWith(home)) ? undefined : `only ${homes.join(", ")} may`;
}

function nodeProblem(path: string, item: Import): string | undefined {
  if (ioModules.get(path)?.includes(item.specifier) === true) return undefined;
  const pure = pureModules.get(item.specifier);
  if (pure === undefined) return `input and output belong to ${realWorld}`;
  if (pure === "all") return undefined;
  const other = item.names.filter((name) => !pure.includes(name));
  return other.length === 0 ? undefined : `${other.join(", ")} is not pure`;
}

/** `src/base/assert.ts` is in `base`, `src/main.ts` in `main`. */
function folderOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.ts$/, "");
}

function isInternalElsewhere(path: string, target: string): boolean {
  const position = target.lastIndexOf("/internal/");
  return position >= 0 && !path.startsWith(target.slice(0, position + 1));
}

function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
