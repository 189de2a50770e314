/**
 * How a command ends: 0 and 1, 2 for wrong usage as shells have it, and sysexits for what scripts want to tell apart. Shown by
 * `cairn help exit-codes`. Pure.
 */
import { AppError } from "#base/app-error.ts";
import { FileError } from "#platform/files.ts";

export interface ExitCodeEntry {
  readonly code: number;
  readonly says: string;
}

export const exitCodes = {
  ok: { code: 0, says: "done" },
  failure: { code: 1, says: "failed in a way that no other code stands for, or in several ways" },
  usage: { code: 2, says: "wrong usage: unknown command or option, or an argument that is none" },
  data: { code: 65, says: "the bytes are not what they should be: CRC-32, changed file" },
  missing: { code: 66, says: "no such file, here or in the cluster, no metadata, or no such disk" },
  unavailable: { code: 69, says: "no tracker, storage or daemon that could do it can be reached" },
  internal: { code: 70, says: "a mistake in cairn itself" },
  cannotCreate: { code: 73, says: "a file cannot be made: it exists, or there is no space" },
  io: { code: 74, says: "reading or writing failed, here or on a storage" },
  temporary: { code: 75, says: "a server is busy or stopping, or a connection broke: try again" },
  unknown: { code: 76, says: "nobody knows whether a server did it: look before trying again" },
  permission: { code: 77, says: "not permitted, here or on a server" },
  configuration: { code: 78, says: "the settings are not valid" },
  interrupted: { code: 130, says: "ended by Ctrl-C or SIGTERM" },
  brokenPipe: { code: 141, says: "whoever read the output left" },
} as const satisfies Readonly<Record<string, ExitCodeEntry>>;

type ExitName = keyof typeof exitCodes;

const byErrorCode: ReadonlyMap<string, ExitName> = new Map<string, ExitName>([
  ["usage", "usage"],
  ["argument-invalid", "usage"],
  ["file-id-invalid", "usage"],
  ["range-invalid", "usage"],
  ["crc-mismatch", "data"],
  ["file-changed", "data"],
  ["content-short", "data"],
  ["file-missing", "missing"],
  ["no-disk", "missing"],
  ["trackers-unreachable", "unavailable"],
  ["storage-unreachable", "unavailable"],
  ["no-storage", "unavailable"],
  ["daemon-unreachable", "unavailable"],
  ["peer-busy", "temporary"],
  ["no-space", "cannotCreate"],
  ["file-exists", "cannotCreate"],
  ["output-exists", "cannotCreate"],
  ["server-failed", "io"],
  ["server-busy", "temporary"],
  ["control-busy", "temporary"],
  ["connection-broken", "temporary"],
  ["daemon-silent", "temporary"],
  ["outcome-unknown", "unknown"],
  ["peer-misbehaved", "unknown"],
  ["not-allowed", "permission"],
  ["access-denied", "permission"],
  ["config-invalid", "configuration"],
  ["config-missing", "configuration"],
  ["storage-ids-invalid", "configuration"],
]);

const byErrno: ReadonlyMap<string, ExitName> = new Map<string, ExitName>([
  ["ENOENT", "missing"],
  ["ENOTDIR", "missing"],
  ["EEXIST", "cannotCreate"],
  ["ENOSPC", "cannotCreate"],
  ["EDQUOT", "cannotCreate"],
  ["EROFS", "cannotCreate"],
  ["EACCES", "permission"],
  ["EPERM", "permission"],
  ["EPIPE", "brokenPipe"],
]);

/** The exit code for whatever a command failed with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof FileError) return exitCodes[byErrno.get(error.code) ?? "io"].code;
  if (error instanceof AppError) return exitCodes[byErrorCode.get(error.code) ?? "failure"].code;
  return exitCodes.internal.code;
}

/** One code for several failures: theirs when they agree. 0 without any. */
export function jointExitCode(codes: readonly number[]): number {
  const [first, ...others] = codes;
  if (first === undefined) return exitCodes.ok.code;
  return others.every((code) => code === first) ? first : exitCodes.failure.code;
}
