/**
 * What a storage is called inside its group: a decimal number 1 … 16777215 where storage ids are in use, else its IPv4
 * text, or the short code of its IPv6 address (protocol §1.2, §3.10, §9.6). Compared and sorted as text, bytewise.
 */
import { AppError } from "#base/app-error.ts";
import type { Brand } from "#base/brand.ts";

export type StorageId = Brand<string, "StorageId">;

/** The wire field has 16 bytes, the last of which is NUL. */
export const maxStorageIdLength = 15;
/** The greatest number that fits the three bytes of a file id which hold it. */
export const maxNumericStorageId = 0xffffff;

/** True when `text` may be a storage's id of any of the three kinds. */
export function isStorageId(text: string): text is StorageId {
  if (text.length === 0 || text.length > maxStorageIdLength) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x2f) return false;
  }
  return true;
}

/** Brands `text`; throws `AppError("storage-id-invalid")`. */
export function StorageId(text: string): StorageId {
  if (isStorageId(text)) return text;
  throw new AppError(
    "storage-id-invalid",
    `"${text.slice(0, 40)}" is not a storage id: use 1 to 15 printable ASCII characters without blanks and slashes`,
  );
}

/** The number that `id` writes in decimal without sign or leading zeros, or undefined when it is of another kind. */
export function numericStorageId(id: string): number | undefined {
  if (id.length === 0 || id.length > 8) return undefined;
  let value = 0;
  for (let at = 0; at < id.length; at += 1) {
    const digit = id.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && at === 0)) return undefined;
    value = value * 10 + digit;
  }
  return value <= maxNumericStorageId ? value : undefined;
}
