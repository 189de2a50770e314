/** Which of a storage's store paths: 0 … 255, two hexadecimal digits behind the `M` of a logical name (protocol §3.1). */
import { AppError } from "#base/app-error.ts";
import type { Brand } from "#base/brand.ts";

export type StorePathIndex = Brand<number, "StorePathIndex">;

export const maxStorePaths = 256;
/** In UPLOAD_FILE: the storage is to choose. Thus index 255 cannot be asked for. */
export const anyStorePath = 255;

export function isStorePathIndex(value: number): value is StorePathIndex {
  return Number.isInteger(value) && value >= 0 && value < maxStorePaths;
}

/** Brands `value`; throws `AppError("store-path-index-invalid")`. */
export function StorePathIndex(value: number): StorePathIndex {
  if (isStorePathIndex(value)) return value;
  throw new AppError(
    "store-path-index-invalid",
    `${value} is not a store path index: use a whole number from 0 to 255`,
  );
}

/** `0` → `M00`. */
export function storePathPrefix(index: StorePathIndex): string {
  return index < 16
    ? `M0${index.toString(16).toUpperCase()}`
    : `M${index.toString(16).toUpperCase()}`;
}
