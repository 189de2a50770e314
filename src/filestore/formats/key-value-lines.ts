/** Small state files of C storages, and ours: a line a value, `key=value` (protocol §5.1). Pure. */

/** The last value of each key; lines without `=` and blanks around both sides do not matter. */
export function parseKeyValueLines(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return values;
}

/** One line a pair, in the order given. */
export function formatKeyValueLines(
  pairs: readonly (readonly [string, string | number])[],
): string {
  return pairs.map(([key, value]) => `${key}=${value}\n`).join("");
}

/** The whole number that `text` writes in decimal digits; undefined where it writes none. */
export function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}
