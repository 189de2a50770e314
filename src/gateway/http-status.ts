/** Which HTTP status a failure gets. The one table for the gateway; what is not in it is a mistake of ours and gets 500. */
import { AppError } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { GatewayErrorCode } from "#gateway/errors.ts";
import type { NetErrorCode } from "#net/errors.ts";

const gatewayStatuses: Readonly<Record<GatewayErrorCode, number>> = {
  "request-invalid": 400,
  "request-too-long": 414,
  "not-found": 404,
  "method-not-allowed": 405,
  "address-refused": 403,
  "cross-site-refused": 403,
  "switched-off": 403,
  "token-invalid": 400,
  "condition-failed": 412,
  "range-unsatisfiable": 416,
  "upload-too-large": 413,
  "body-unsupported": 415,
  internal: 500,
};

const fileStoreStatuses: Readonly<Record<FileStoreErrorCode, number>> = {
  "file-missing": 404,
  "file-exists": 409,
  "file-invalid": 400,
  "file-irregular": 409,
  "store-full": 507,
  "content-damaged": 500,
  "binlog-gone": 500,
  "disk-failed": 500,
  "store-path-offline": 503,
  "store-path-unready": 503,
  "store-closing": 503,
  "store-path-busy": 503,
  "store-path-unfit": 503,
};

const netStatuses: Readonly<Record<NetErrorCode, number>> = {
  "flow-broken": 400,
  "peer-misbehaved": 400,
  "peer-silent": 408,
  "peer-unreachable": 502,
  "peer-busy": 503,
  "client-closed": 503,
};

/** A disk that is full or read-only is not broken. */
const errnoStatuses: ReadonlyMap<unknown, number> = new Map([
  ["ENOSPC", 507],
  ["EDQUOT", 507],
  ["EROFS", 503],
  ["ENOENT", 404],
]);

const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries({ ...gatewayStatuses, ...fileStoreStatuses, ...netStatuses }),
);

/** Undefined for what nobody foresaw. */
export function httpStatusOf(error: unknown): number | undefined {
  if (!(error instanceof AppError)) return undefined;
  return errnoStatuses.get(error.details.errno) ?? statuses.get(error.code);
}
