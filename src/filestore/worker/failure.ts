/** How a failure in a worker is told to the main thread. */
import { AppError } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { WireFailure } from "#filestore/worker-messages.ts";
import { FileError } from "#platform/files.ts";

/** A ring record has room for this much of a message, in characters. */
const maxMessageLength = 120;

export function failureOf(error: unknown): WireFailure {
  if (error instanceof AppError) {
    const errno = error.details.errno;
    return {
      code: error.code as FileStoreErrorCode,
      message: clip(error.message),
      errno: typeof errno === "string" ? errno : "",
    };
  }
  if (error instanceof FileError) return ofFileError(error);
  throw error;
}

/** What a bare file-system error means to the caller; assertion failures and bugs are not among them. */
function ofFileError(error: FileError): WireFailure {
  const code: FileStoreErrorCode =
    error.code === "ENOENT"
      ? "file-missing"
      : error.code === "ENOSPC" || error.code === "EDQUOT"
        ? "store-full"
        : "disk-failed";
  return { code, message: clip(error.message), errno: error.code };
}

function clip(message: string): string {
  return message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength)}…`;
}
