/** The repository's own files for the rules to look at, read once a test file. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSource, type Source } from "./source.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The folders that hold TypeScript of ours. */
export const codeFolders = ["src", "test", "image"] as const;

/** Every file below `folder`, sorted, relative to the repository; empty where there is no such folder. */
export function listFiles(folder: string): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  const entries = readdirSync(start, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

/** The text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The parsed TypeScript below `folders`. */
export function readSources(folders: readonly string[]): Source[] {
  const paths = folders.flatMap(listFiles).filter((path) => path.endsWith(".ts"));
  return paths.map((path) => parseSource(path, readText(path)));
}
