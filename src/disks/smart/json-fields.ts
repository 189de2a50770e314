/** Looking into a foreign JSON value without trusting its form: what is not as expected is undefined. Pure. */

/** What stands under `names`, one record inside of the other. */
export function fieldAt(value: unknown, ...names: readonly string[]): unknown {
  let at = value;
  for (const name of names) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    at = Object.hasOwn(at, name) ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return at;
}

/** A whole number from 0 to `max`. */
export function countAt(
  value: unknown,
  names: readonly string[],
  max?: number,
): number | undefined {
  const found = fieldAt(value, ...names);
  const limit = max ?? Number.MAX_SAFE_INTEGER;
  return Number.isSafeInteger(found) && (found as number) >= 0 && (found as number) <= limit
    ? (found as number)
    : undefined;
}

/** Trimmed and cut; undefined where nothing is left. */
export function wordAt(
  value: unknown,
  names: readonly string[],
  maxLength: number,
): string | undefined {
  const found = fieldAt(value, ...names);
  if (typeof found !== "string") return undefined;
  const clean = cleanWord(found, maxLength);
  return clean === "" ? undefined : clean;
}

export function flagAt(value: unknown, ...names: readonly string[]): boolean | undefined {
  const found = fieldAt(value, ...names);
  return typeof found === "boolean" ? found : undefined;
}

/** At most `max` items; none where it is no list. */
export function listAt(value: unknown, names: readonly string[], max: number): readonly unknown[] {
  const found = fieldAt(value, ...names);
  return Array.isArray(found) ? found.slice(0, max) : [];
}

/** One line, well-formed, without control characters. */
export function cleanWord(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .toWellFormed();
}
