/** No dead files: what nothing leads to is deleted. */
import type { Source } from "../source.ts";

/** The files of `src/` that no entry reaches by its imports. */
export function findDeadFiles(sources: readonly Source[], entryPaths: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const waiting = [...entryPaths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    waiting.push(...source.imports.flatMap((item) => item.target ?? []));
  }
  const dead = sources.filter((source) => !reached.has(source.path));
  return dead.map((source) => `${source.path} is reached from no entry`);
}
