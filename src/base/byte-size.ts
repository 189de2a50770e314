/**
 * Sizes as people write them: `256`, `"64MiB"`, `"20G"`. Every unit counts in powers of 1024, `MB` and `M` too, because
 * that is what FastDFS's configuration means by them. Pure.
 */
const unitBytes: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
  ["t", 1024 ** 4],
]);

const written = /^(\d{1,16})\s*([kmgt]?)(?:i?b)?$/i;

/** The number of bytes that `text` names; undefined when it is no size or not a safe integer. */
export function parseByteSize(text: string): number | undefined {
  const match = written.exec(text.trim());
  const unit = unitBytes.get(match?.[2]?.toLowerCase() ?? "");
  if (match === null || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text, such as `64MiB` or `1000B`; `parseByteSize` gives the same number back. */
export function formatByteSize(bytes: number): string {
  for (const [unit, name] of [
    [1024 ** 4, "TiB"],
    [1024 ** 3, "GiB"],
    [1024 ** 2, "MiB"],
    [1024, "KiB"],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return `${bytes}B`;
}
