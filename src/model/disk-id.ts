/** Who a disk is, for ever: 32 hexadecimal digits that were drawn when it was given to a node. In its passport, nowhere else. */
import { AppError } from "#base/app-error.ts";
import type { Brand } from "#base/brand.ts";

export type DiskId = Brand<string, "DiskId">;

const pattern = /^[0-9a-f]{32}$/;

export function isDiskId(text: string): text is DiskId {
  return pattern.test(text);
}

/** Brands `text`; throws `AppError("disk-id-invalid")`. */
export function DiskId(text: string): DiskId {
  if (isDiskId(text)) return text;
  throw new AppError(
    "disk-id-invalid",
    `"${text.slice(0, 40)}" is not the id of a disk: use 32 digits of 0-9 and a-f, as "cairn disks" shows them`,
  );
}
