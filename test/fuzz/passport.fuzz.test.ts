/**
 * Goal: whatever stands in the place of a passport is read as one or refused in words, in bounded time, and nobody but the owner of a key
 * makes one of its node.
 * Method: random text, random JSON under right checksums, and genuine passports with random fields replaced.
 */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { canonicalJson, parseCanonicalValue } from "#base/canonical-json.ts";
import { choosePassport, parsePassport } from "#disks/passport.ts";
import { passportText } from "../support/passports.ts";

const codes = ["passport-damaged", "passport-too-new", "passport-forged"];
const genuine = JSON.parse(passportText());

function readOrRefused(text: string): boolean {
  try {
    parsePassport(text);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || !codes.includes(error.code)) throw error;
    return false;
  }
}

function withSum(fields: object): string | undefined {
  const value = parseCanonicalValue(JSON.stringify(fields));
  if (value === undefined) return undefined;
  const text = canonicalJson(value);
  return canonicalJson({ ...(value as object), crc32: crc32(text) });
}

test("random text is no passport", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 400 }), fc.json()), (text) => {
      expect(readOrRefused(text)).toBe(false);
      expect(() => choosePassport([text, text])).toThrow(AppError);
    }),
  );
});

test("a genuine passport with anything in the place of a field is refused", () => {
  const key = fc.constantFrom(...Object.keys(genuine), "more", "__proto__");
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.jsonValue()), { minLength: 1, maxLength: 4 }), (all) => {
      const { crc32: _, ...fields } = genuine;
      const changed = { ...fields, ...Object.fromEntries(all) };
      const text = withSum(
        Object.fromEntries(Object.entries(changed).filter(([k]) => k !== "crc32")),
      );
      if (text === undefined) return;
      const same = withSum(fields) === text;
      expect(readOrRefused(text)).toBe(same);
    }),
  );
});
