/** Which status byte a failure gets (protocol §1.3). The one table for storage sessions. */
import { AppError } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { NetErrorCode } from "#net/errors.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

const fileStoreStatuses: Readonly<Record<FileStoreErrorCode, number>> = {
  "file-missing": wireStatus.notFound,
  "file-exists": wireStatus.exists,
  "file-invalid": wireStatus.invalid,
  "file-irregular": wireStatus.isDirectory,
  "store-full": wireStatus.noSpace,
  "content-damaged": wireStatus.ioError,
  "binlog-gone": wireStatus.invalid,
  "disk-failed": wireStatus.ioError,
  "store-path-offline": wireStatus.ioError,
  // What a C storage or our client takes for "later, or elsewhere".
  "store-path-unready": wireStatus.tryAgain,
  "store-closing": wireStatus.interrupted,
  "store-path-busy": wireStatus.busy,
  "store-path-unfit": wireStatus.ioError,
};

const netStatuses: Readonly<Record<NetErrorCode, number>> = {
  "flow-broken": wireStatus.ioError,
  "peer-misbehaved": wireStatus.invalid,
  "peer-silent": wireStatus.timedOut,
  "peer-unreachable": wireStatus.connectionRefused,
  "peer-busy": wireStatus.busy,
  "client-closed": wireStatus.interrupted,
};

/** System calls' failures are passed through as they are. */
const errnoStatuses: ReadonlyMap<string, number> = new Map([
  ["EPERM", wireStatus.notPermitted],
  ["ENOENT", wireStatus.notFound],
  ["EIO", wireStatus.ioError],
  ["ENOMEM", wireStatus.outOfMemory],
  ["EACCES", wireStatus.accessDenied],
  ["EBUSY", wireStatus.busy],
  ["EEXIST", wireStatus.exists],
  ["EISDIR", wireStatus.isDirectory],
  ["EINVAL", wireStatus.invalid],
  ["EMFILE", wireStatus.tooManyFiles],
  ["ENOSPC", wireStatus.noSpace],
  ["EROFS", wireStatus.readOnly],
  ["ENAMETOOLONG", wireStatus.nameTooLong],
]);

const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries({ ...fileStoreStatuses, ...netStatuses }),
);

/** Undefined for what is a mistake of ours and not a foreseen failure. */
export function wireStatusOf(error: unknown): number | undefined {
  if (error instanceof WireStatusError) return error.status;
  if (error instanceof ProtocolError) return wireStatus.invalid;
  if (!(error instanceof AppError)) return undefined;
  const errno = error.details.errno;
  const passedThrough = typeof errno === "string" ? errnoStatuses.get(errno) : undefined;
  return passedThrough ?? statuses.get(error.code);
}
