/**
 * Each source file that does something is tested where one looks for it: by a test file of its own name, or, for small files
 * that are only right together, by one in the same folder of `test/` that imports it by name.
 */
import { type Source, visit } from "../source.ts";

/** Kinds of test that may hold a mirror. */
const homes = ["unit", "integration"];

export interface Exemption {
  /** A file, or a folder with a slash at its end. */
  readonly path: string;
  /** What tests it instead. */
  readonly reason: string;
}

/** Sources without a mirror, and exemptions that exempt nothing any more. */
export function findMissingMirrors(
  sources: readonly Source[],
  tests: readonly Source[],
  exemptions: readonly Exemption[],
): string[] {
  const tested = testedFiles(tests);
  const bare = sources.filter((source) => !tested.has(source.path) && hasCode(source));
  const missing = bare.filter((source) => !exemptions.some((item) => covers(item, source.path)));
  const stale = exemptions.filter((item) => !bare.some((source) => covers(item, source.path)));
  return [
    ...missing.map((source) => `${source.path} has no ${mirrorPath(source.path)}`),
    ...stale.map((item) => `the exemption of ${item.path} is not needed: remove it`),
  ];
}

/** What the tests say they test: the file of their name, and what they import from their own folder of `src/`. */
function testedFiles(tests: readonly Source[]): Set<string> {
  const files = new Set<string>();
  for (const test of tests) {
    const [, home = "", ...rest] = test.path.split("/");
    if (!homes.includes(home) || !test.path.endsWith(".test.ts")) continue;
    files.add(`src/${rest.join("/")}`.replace(/\.test\.ts$/, ".ts"));
    const folder = `src/${rest[0] ?? ""}/`;
    for (const { target } of test.imports) if (target?.startsWith(folder)) files.add(target);
  }
  return files;
}

function mirrorPath(path: string): string {
  return path.replace(/^src\//, "test/unit/").replace(/\.ts$/, ".test.ts");
}

/** Interfaces, constants and error codes alone need no test. */
function hasCode(source: Source): boolean {
  let found = false;
  const note = (): void => {
    found = true;
  };
  visit(source, {
    FunctionDeclaration: note,
    FunctionExpression: note,
    ArrowFunctionExpression: note,
    ClassDeclaration: note,
  });
  return found;
}

function covers(item: Exemption, path: string): boolean {
  return item.path.endsWith("/") ? path.startsWith(item.path) : path === item.path;
}
