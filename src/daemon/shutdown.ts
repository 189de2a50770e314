/** Exit codes of the daemon, as service managers know them (sysexits, field notes §6). */
import { AppError } from "#base/app-error.ts";

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 64,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  ioError: 74,
  temporary: 75,
  notPermitted: 77,
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byErrorCode: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ["config-invalid", exitCodes.configuration],
  ["config-missing", exitCodes.configuration],
  ["storage-ids-invalid", exitCodes.configuration],
  ["file-source-invalid", exitCodes.configuration],
  ["store-path-unfit", exitCodes.configuration],
  ["store-path-busy", exitCodes.temporary],
  ["store-full", exitCodes.cannotCreate],
  ["disk-failed", exitCodes.ioError],
  ["store-path-offline", exitCodes.ioError],
  ["store-path-unready", exitCodes.temporary],
  ["state-unusable", exitCodes.cannotCreate],
  ["migration-failed", exitCodes.internal],
]);

const byErrno: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ["EADDRINUSE", exitCodes.unavailable],
  ["EADDRNOTAVAIL", exitCodes.configuration],
  ["EACCES", exitCodes.notPermitted],
  ["EPERM", exitCodes.notPermitted],
  ["EROFS", exitCodes.cannotCreate],
  ["ENOSPC", exitCodes.cannotCreate],
]);

/** Why a start failed decides whether trying again may help: 64 and 78 do not, which the unit file knows. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof AppError) {
    const known = byErrorCode.get(error.code);
    if (known !== undefined) return known;
    if (error.code === "listen-failed") return exitCodeOf(error.cause);
  }
  const errno = (error as { readonly code?: unknown } | undefined)?.code;
  return (typeof errno === "string" ? byErrno.get(errno) : undefined) ?? exitCodes.failure;
}
