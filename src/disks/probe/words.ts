/** Texts that devices and strangers' programs give: of any length, with anything in them. Pure. */
import { probeLimits } from "#disks/probe/limits.ts";

/** Without control characters and blanks around, bounded; undefined where nothing is left. */
export function cleanWord(text: string | undefined | null): string | undefined {
  if (typeof text !== "string") return undefined;
  const printable = text
    .slice(0, 4 * probeLimits.maxWordCharacters)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
    .replace(/[\u0000-\u001f\u007f-\u009f\ufffd]+/g, " ")
    .replace(/ +/g, " ")
    .trim()
    .slice(0, probeLimits.maxWordCharacters);
  return printable === "" ? undefined : printable;
}

/** A whole number of at least 0 in decimal digits; undefined for anything else. */
export function wholeNumberOf(text: string | undefined): number | undefined {
  const digits = text?.trim() ?? "";
  if (!/^\d{1,16}$/.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `0` and `1` as the kernel writes them. */
export function flagOf(text: string | undefined): boolean | undefined {
  const word = text?.trim();
  if (word === "1") return true;
  return word === "0" ? false : undefined;
}
