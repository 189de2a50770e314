/** What the helper refuses with. The message goes to people. */
import { AppError } from "#base/app-error.ts";
import { FileError } from "#platform/files.ts";

/** What the kernel tells of a medium that fails. */
const mediumErrors: readonly string[] = ["EIO", "ENODATA", "EILSEQ", "EREMOTEIO"];

export type HelperErrorCode =
  /** No such disk, or another one in its place by now. */
  | "device-missing"
  | "device-changed"
  /** Another request for the same disk is under way. */
  | "device-busy"
  | "device-failed"
  | "too-many-requests"
  /** The guard said no. */
  | "write-refused"
  | "passport-refused"
  | "place-refused"
  | "not-mounted"
  | "in-use"
  | "nothing-unfinished"
  | "program-failed"
  | "not-supported";

export function helperError(
  code: HelperErrorCode,
  message: string,
  cause?: unknown,
): AppError<HelperErrorCode> {
  return new AppError(code, message, cause === undefined ? {} : { cause });
}

/** The disk is there, and does not give what it should hold. */
export function isMediumError(error: unknown): boolean {
  return error instanceof FileError && mediumErrors.includes(error.code);
}
