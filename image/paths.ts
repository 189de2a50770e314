/** Where the build reads and writes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("..", import.meta.url));
/** What the build delivers. */
export const dist = join(root, "dist");
/** What the build may throw away. */
export const work = join(root, "node_modules/.cache/cairn");

interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

export const packageJson = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
) as PackageJson;
