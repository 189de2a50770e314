/**
 * What is noted on a store path that is being rebuilt, so that a node that is killed goes on where it was: that it is, since when, and what
 * was fetched. Which files are there already needs no note: they are. Pure.
 */
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";

/** In `data/sync` of the store path. */
export const recoveryMark = "cairn-recovery.mark";

export interface RecoveryState {
  /** Unix seconds of its begin. */
  readonly began: number;
  readonly files: number;
  readonly bytes: number;
}

export function formatRecoveryState(state: RecoveryState): string {
  return formatKeyValueLines([
    ["began", state.began],
    ["files", state.files],
    ["bytes", state.bytes],
  ]);
}

/** A note that cannot be read says that the path is being rebuilt, all the same. */
export function parseRecoveryState(text: string): RecoveryState {
  const values = parseKeyValueLines(text);
  const count = (key: string): number => parseCount(values.get(key)) ?? 0;
  return { began: count("began"), files: count("files"), bytes: count("bytes") };
}
