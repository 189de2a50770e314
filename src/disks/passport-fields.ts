/** Fields of what stands on a disk, each with its limits; whatever is not as it should be is damage. Pure. */
import { AppError } from "#base/app-error.ts";
import type { JsonObject, JsonValue } from "#base/canonical-json.ts";

export function fail(what: string): AppError {
  return new AppError("passport-damaged", `the disk's passport ${what}`);
}

export function needText(from: JsonObject, key: string, { max }: { readonly max: number }): string {
  const value = from[key];
  if (typeof value === "string" && value.length <= max) return value;
  throw fail(`has no ${key} of at most ${max} characters`);
}

export function needNumber(
  object: JsonObject,
  key: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const value = object[key];
  if (typeof value === "number" && value >= from && value <= to) return value;
  throw fail(`has no ${key} from ${from} to ${to}`);
}

export function needHex(from: JsonObject, key: string, bytes: number): Uint8Array {
  const value = from[key];
  if (typeof value === "string" && value.length === bytes * 2 && /^[0-9a-f]*$/.test(value)) {
    return Buffer.from(value, "hex");
  }
  throw fail(`has no ${key} of ${bytes * 2} hexadecimal digits`);
}

export function needList(from: JsonObject, key: string, max: number): readonly JsonValue[] {
  const value = from[key];
  if (Array.isArray(value) && value.length <= max) return value;
  throw fail(`has no list ${key} of at most ${max} entries`);
}
