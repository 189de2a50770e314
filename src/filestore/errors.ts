/** What the engine can refuse, and what went wrong below it. One table a surface turns these into its own status. */
import { AppError } from "#base/app-error.ts";

export type FileStoreErrorCode =
  /** No such file, or no metadata. */
  | "file-missing"
  /** A file of that name is there already. */
  | "file-exists"
  /** The name or an argument is not allowed: malformed name, unknown store path, offset past the end, wrong kind of file. */
  | "file-invalid"
  /** Something is there that is not a regular file. */
  | "file-irregular"
  /** No store path has room above the reserve. */
  | "store-full"
  /** What came does not have the CRC-32, or the size, that it must have: it is to be read again, or had from elsewhere. */
  | "content-damaged"
  /** There is no such place in the binlog of a store path. */
  | "binlog-gone"
  /** The file system answered an error; `details.errno` is its name. */
  | "disk-failed"
  /** The store path is gone, or did not answer in time: nobody knows whether a change was done. */
  | "store-path-offline"
  /** The store path does not serve this just now, being opened, quarantined or checked: nothing was done, and it may be asked again. */
  | "store-path-unready"
  /** The node is stopping. */
  | "store-closing"
  /** Another process holds the store path. */
  | "store-path-busy"
  /** What lies on the store path does not fit our configuration; the message says what to do. */
  | "store-path-unfit";

export function fileStoreError(
  code: FileStoreErrorCode,
  message: string,
  options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
): AppError<FileStoreErrorCode> {
  return new AppError(code, message, options);
}
