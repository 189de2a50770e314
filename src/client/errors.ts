/** What a caller of the client library has to tell apart. Messages say what was wrong and what to do. */
import { AppError } from "#base/app-error.ts";

export type ClientErrorCode =
  /** No tracker answered. */
  | "trackers-unreachable"
  /** The storage that is to act cannot be reached. */
  | "storage-unreachable"
  /** No tracker knows a storage that would do it: no such group, or none of its storages serves. */
  | "no-storage"
  | "no-space"
  /** No such file, or no metadata. */
  | "file-missing"
  /** The slave file is there already. */
  | "file-exists"
  /** The server takes the request for wrong: wrong kind of file, wrong group, place past the end. */
  | "refused"
  /** The server may not: address not admitted, file system read-only, permission missing. */
  | "not-allowed"
  /** The server cannot just now; later it may. */
  | "server-busy"
  /** The server failed; `details.status` is its errno. */
  | "server-failed"
  /** The connection broke or the server fell silent; nothing was changed by this call. */
  | "connection-broken"
  /** As before, but the server may have done it: `details.action` says what. */
  | "outcome-unknown"
  /** The server's bytes are no FastDFS. */
  | "peer-misbehaved"
  | "file-id-invalid"
  | "argument-invalid"
  /** The range begins past the end of the file. */
  | "range-invalid"
  /** The bytes received are not those that the file id was made for. */
  | "crc-mismatch"
  /** The file became another one while it was read. */
  | "file-changed"
  /** A content gave fewer bytes than it announced. */
  | "content-short"
  /** The client was closed. */
  | "client-closed";

export function clientError(
  code: ClientErrorCode,
  message: string,
  options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
): AppError<ClientErrorCode> {
  return new AppError(code, message, options);
}
