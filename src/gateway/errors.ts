/** What a request can have wrong by itself, before any file is touched. */
import { AppError } from "#base/app-error.ts";

export type GatewayErrorCode =
  /** The request cannot be understood: path, query, header or body. */
  | "request-invalid"
  /** The path or the query is longer than any that we make. */
  | "request-too-long"
  /** There is nothing of that name. */
  | "not-found"
  /** There are other methods for this path. */
  | "method-not-allowed"
  /** The address is not among those that may use this node. */
  | "address-refused"
  /** A page of another site made the browser send this. */
  | "cross-site-refused"
  /** Switched off by a setting. */
  | "switched-off"
  /** The token is missing, wrong or too old. */
  | "token-invalid"
  /** A condition of the request (If-Match, If-Unmodified-Since) does not hold. */
  | "condition-failed"
  /** None of the ranges lies in the file. */
  | "range-unsatisfiable"
  /** The file is larger than allowed. */
  | "upload-too-large"
  /** The body is of a type that cannot be read here. */
  | "body-unsupported"
  /** A mistake of ours. */
  | "internal";

export function gatewayError(
  code: GatewayErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): AppError<GatewayErrorCode> {
  return new AppError(code, message, { details });
}
