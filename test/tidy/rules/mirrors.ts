/** Each source file that does something has a test file of its own name. */
import { type Source, visit } from "../source.ts";

/** Kinds of test that may hold a mirror, in the order in which to look. */
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
  testPaths: readonly string[],
  exemptions: readonly Exemption[],
): string[] {
  const tests = new Set(testPaths);
  const bare = sources.filter((source) => !hasMirror(source.path, tests) && hasCode(source));
  const missing = bare.filter((source) => !exemptions.some((item) => covers(item, source.path)));
  const stale = exemptions.filter((item) => !bare.some((source) => covers(item, source.path)));
  return [
    ...missing.map((source) => `${source.path} has no ${mirrorPath(source.path, "unit")}`),
    ...stale.map((item) => `the exemption of ${item.path} is not needed: remove it`),
  ];
}

function hasMirror(path: string, tests: ReadonlySet<string>): boolean {
  return homes.some((home) => tests.has(mirrorPath(path, home)));
}

function mirrorPath(path: string, home: string): string {
  return path.replace(/^src\//, `test/${home}/`).replace(/\.ts$/, ".test.ts");
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
