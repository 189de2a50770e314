/** What can be wrong with a request to the daemon, beside what the operation itself reports. */
import { AppError } from "#base/app-error.ts";

export type ControlErrorCode =
  | "operation-unknown"
  | "input-invalid"
  | "access-denied"
  /** The bytes are no request or reply. */
  | "control-malformed"
  /** Too much was asked at the same time. */
  | "control-busy"
  /** The daemon failed in a way that its log describes. */
  | "internal-error";

export function controlError(
  code: ControlErrorCode,
  message: string,
  cause?: unknown,
): AppError<ControlErrorCode> {
  return new AppError(code, message, cause === undefined ? {} : { cause });
}
