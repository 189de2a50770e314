/** What a failed file call means to those who asked for the work. */
import { AppError } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import { FileError } from "#platform/files.ts";

export type FileStoreError = AppError<FileStoreErrorCode>;

const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT"];

/** True where there is no room, or none for this user. */
export function isFull(error: unknown): boolean {
  return error instanceof FileError && fullCodes.includes(error.code);
}

/**
 * The error to answer with; `doing` completes "cannot …". Assertion failures and other bugs are thrown on: they end the
 * worker.
 */
export function diskFailure(error: unknown, doing: string): FileStoreError {
  if (error instanceof AppError) return error as FileStoreError;
  if (!(error instanceof FileError)) throw error;
  const details = { errno: error.code };
  if (fullCodes.includes(error.code)) {
    return fileStoreError("store-full", `cannot ${doing}: the disk is full`, {
      cause: error,
      details,
    });
  }
  if (error.code === "ENAMETOOLONG") {
    return fileStoreError("file-invalid", `cannot ${doing}: the name is too long`, {
      cause: error,
      details,
    });
  }
  return fileStoreError("disk-failed", `cannot ${doing}: ${error.message}`, {
    cause: error,
    details,
  });
}

/** Runs `action`; file errors leave as `FileStoreError`. */
export function onDisk<Result>(doing: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw diskFailure(error, doing);
  }
}

/** As `onDisk`, step by step. */
export function* stepsOnDisk<Result>(
  doing: string,
  steps: Generator<undefined, Result>,
): Generator<undefined, Result> {
  try {
    return yield* steps;
  } catch (error) {
    throw diskFailure(error, doing);
  }
}
