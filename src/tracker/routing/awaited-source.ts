/**
 * Whether the source of a file is waited for by those who want to change it, rather than passed over: two storages that change one file at
 * the same time end with one of the changes lost. A tracker that has just started has not heard of everybody who is there, while another one
 * may send clients to them. Pure.
 */
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { aliveSilenceMs } from "#tracker/limits.ts";

export interface AwaitingTracker {
  readonly nowMs: number;
  /** Monotonic, as the other times. */
  readonly startedAtMs: number;
  /** It knows no other tracker. */
  readonly isAlone: boolean;
}

/** `source`: undefined where the tracker knows nobody by what the name says. */
export function isAwaited(
  source: { readonly status: StorageStatus; readonly messageAtMs: number } | undefined,
  { nowMs, startedAtMs, isAlone }: AwaitingTracker,
): boolean {
  // As long as somebody who falls silent is waited for.
  const hasJustStarted = nowMs - startedAtMs < aliveSilenceMs;
  if (source === undefined) return hasJustStarted && !isAlone;
  const { status, messageAtMs } = source;
  // It has joined, and its first beat follows.
  if (status === storageStatus.online) return nowMs - messageAtMs < aliveSilenceMs;
  return status === storageStatus.offline && hasJustStarted && messageAtMs < startedAtMs;
}
