/**
 * Into which of a store path's directories `HH/HH` a new file goes (protocol §3.9): by a counter that moves on after so many
 * files, or by a hash of the name. Pure: states come in and go out.
 */
import { encodeTwoWords } from "#model/base64.ts";

/** The counters as `storage_stat.dat` keeps them. */
export interface DistributionState {
  /** `dist_path_index_high`, `dist_path_index_low`, `dist_write_file_count`. */
  readonly high: number;
  readonly low: number;
  readonly fileCount: number;
}

export interface Directory {
  readonly high: number;
  readonly low: number;
}

export interface DistributionSettings {
  /** Directories of each level, 1 … 256. */
  readonly subdirCount: number;
  /** Files that go into one directory in turn (`file_distribute_rotate_count`). */
  readonly rotateCount: number;
}

export const initialDistribution: DistributionState = { high: 0, low: 0, fileCount: 0 };

/** The state after one more file went to `state`'s directory. */
export function afterFile(
  state: DistributionState,
  settings: DistributionSettings,
): DistributionState {
  const fileCount = state.fileCount + 1;
  if (fileCount < settings.rotateCount) return { ...state, fileCount };
  if (state.low + 1 < settings.subdirCount) {
    return { high: state.high, low: state.low + 1, fileCount: 0 };
  }
  const high = state.high + 1 < settings.subdirCount ? state.high + 1 : 0;
  return { high, low: 0, fileCount: 0 };
}

/** The directory that the hash of `text` falls into: of a name's first 27 characters, or of a trunk file's encoded number. */
export function hashedDirectory(text: string, subdirCount: number): Directory {
  const hash = pjwHash(text) % 65536;
  return { high: (hash >>> 8) % subdirCount, low: (hash & 255) % subdirCount };
}

/** The text that is hashed for a trunk file: the base64 of its number's four bytes. */
export function trunkFileHashText(fileId: number): string {
  return encodeTwoWords(fileId, 0).slice(0, 6);
}

/** FastDFS's variant of the PJW hash over the bytes of `text`: its right shift extends the sign. Unsigned, below 2^28. */
export function pjwHash(text: string): number {
  let hash = 0;
  for (const byte of Buffer.from(text)) {
    hash = ((hash << 4) + byte) | 0;
    const top = hash & 0xf0000000;
    if (top !== 0) hash = (hash ^ (top >> 24)) & 0x0fffffff;
  }
  return hash >>> 0;
}
