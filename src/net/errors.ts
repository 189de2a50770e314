/** What goes wrong between two ends of a connection. */
import { AppError } from "#base/app-error.ts";

export type NetErrorCode =
  /** The peer stopped in the middle of a payload, or the connection broke. */
  | "flow-broken"
  /** The peer sent what the protocol does not allow. */
  | "peer-misbehaved"
  /** Nothing came within the time limit. */
  | "peer-silent"
  /** Connecting failed. */
  | "peer-unreachable"
  /** All connections to the peer that we allow ourselves stayed in use. */
  | "peer-busy"
  /** Our own end was closed before. */
  | "client-closed";

export function netError(
  code: NetErrorCode,
  message: string,
  cause?: unknown,
): AppError<NetErrorCode> {
  return new AppError(code, message, cause === undefined ? {} : { cause });
}
