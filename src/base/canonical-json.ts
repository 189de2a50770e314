/**
 * JSON with one form for each value, so that a signature over it can be checked by whoever parsed it, known fields or not: keys sorted by their
 * code units, no spaces, numbers whole and exact. Limits keep strangers' text from costing more than its length. Pure.
 */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** Deeper text is refused. */
const maxDepth = 16;

/** The value of `text`; undefined where it is no JSON, or has a number that is not a whole and exact one, or is nested too deep. */
export function parseCanonicalValue(text: string): JsonValue | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isExact(value, 0) ? value : undefined;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The one text of a value. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${entries.join(",")}}`;
}

function isExact(value: unknown, depth: number): value is JsonValue {
  if (depth > maxDepth) return false;
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every((each) => isExact(each, depth + 1));
}
