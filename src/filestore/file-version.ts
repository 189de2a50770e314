/**
 * Versions of a file that can be changed (an appender file, a slave, metadata): its time and its size. Changes of one file may happen at
 * several storages that do not hear of each other; then the later version counts, everywhere. A change is never earlier than what it
 * changes, whatever the clock says, so that what was seen before it cannot win against it. Pure.
 */

export interface FileVersion {
  /** Unix seconds. */
  readonly modifiedSeconds: number;
  readonly sizeBytes: number;
}

const maxSeconds = 0xffffffff;

/** Above 0 where `one` is the later version, below 0 where `other` is; 0 leaves it to the content. */
export function compareVersions(one: FileVersion, other: FileVersion): number {
  return one.modifiedSeconds - other.modifiedSeconds || one.sizeBytes - other.sizeBytes;
}

/**
 * The time of a change that happens at `nowSeconds` to a file of the time `beforeSeconds`. `grows`: the size tells the versions apart, so
 * that both may have the same second.
 */
export function timeOfChange(nowSeconds: number, beforeSeconds: number, grows: boolean): number {
  return Math.min(maxSeconds, Math.max(nowSeconds, beforeSeconds + (grows ? 0 : 1)));
}
