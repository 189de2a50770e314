/** The name of a group: 1 to 16 ASCII letters and digits (protocol §1.2). Compared byte for byte. */
import { AppError } from "#base/app-error.ts";
import type { Brand } from "#base/brand.ts";

export type GroupName = Brand<string, "GroupName">;

export const maxGroupNameLength = 16;

/** True when `text` may name a group. */
export function isGroupName(text: string): text is GroupName {
  if (text.length === 0 || text.length > maxGroupNameLength) return false;
  for (let at = 0; at < text.length; at += 1) {
    if (!isLetterOrDigit(text.charCodeAt(at))) return false;
  }
  return true;
}

/** Brands `text`; throws `AppError("group-name-invalid")`. */
export function GroupName(text: string): GroupName {
  if (isGroupName(text)) return text;
  throw new AppError(
    "group-name-invalid",
    `"${text.slice(0, 40)}" is not a group name: use 1 to 16 letters and digits (A-Z, a-z, 0-9)`,
  );
}

function isLetterOrDigit(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a)
  );
}
