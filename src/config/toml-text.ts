/** Plain values in TOML notation. Pure. */
import type { PlainValue } from "#config/value-types.ts";

/** One value on one line; the TOML parser gives the same value back. */
export function formatTomlValue(value: PlainValue): string {
  if (typeof value === "string") return formatTomlString(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return `[${value.map(formatTomlValue).join(", ")}]`;
}

/** A basic string; JSON's escapes are a part of TOML's, except that TOML wants DEL escaped too. */
function formatTomlString(value: string): string {
  return JSON.stringify(value.toWellFormed()).replaceAll("\u007f", "\\u007f");
}
