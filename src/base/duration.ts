/**
 * Spans of time as people write them: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`, one number and one unit. A number
 * without a unit is refused, because nobody can see whether it means seconds or milliseconds. Pure.
 */
const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const written = /^(\d{1,16})\s*(ms|s|m|min|h|d)$/;

/** Milliseconds that `text` names; undefined when it is no duration or not a safe integer. */
export function parseDuration(text: string): number | undefined {
  const match = written.exec(text.trim());
  const unit = unitMs.get(match?.[2] ?? "");
  if (match === null || unit === undefined) return undefined;
  const ms = Number(match[1]) * unit;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest exact text, such as `90s` or `2h`; `parseDuration` gives the same number back. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  for (const [unit, name] of [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1000, "s"],
  ] as const) {
    if (ms >= unit && ms % unit === 0) return `${ms / unit}${name}`;
  }
  return `${ms}ms`;
}
