/** Which modules of a kernel are to be loaded for some wanted ones, and in which order: each says in itself what it depends on. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface KernelModule {
  /** With underscores. */
  readonly name: string;
  readonly content: Buffer;
}

/** `wanted` and all that they depend on, those first. `folder` is `lib/modules/VERSION`. */
export function modulesFor(folder: string, wanted: readonly string[]): readonly KernelModule[] {
  const files = new Map<string, string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(".ko")) files.set(nameOf(basename(path, ".ko")), join(folder, path));
  }
  const ordered = new Map<string, KernelModule>();
  const add = (name: string): void => {
    if (ordered.has(name)) return;
    const path = files.get(name);
    if (path === undefined) throw new Error(`there is no module ${name} in ${folder}`);
    const content = readFileSync(path);
    for (const below of dependencies(content)) add(below);
    ordered.set(name, { name, content });
  };
  for (const name of wanted) add(name);
  return [...ordered.values()];
}

/** Of the strings in its section `.modinfo`. */
function dependencies(content: Buffer): readonly string[] {
  const mark = "\0depends=";
  const at = content.indexOf(mark);
  if (at < 0) return [];
  const begin = at + mark.length;
  const text = content.toString("latin1", begin, content.indexOf(0, begin));
  return text
    .split(",")
    .filter((name) => name !== "")
    .map(nameOf);
}

function nameOf(name: string): string {
  return name.replaceAll("-", "_");
}
