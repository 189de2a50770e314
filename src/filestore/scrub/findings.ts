/** What a scrub counts, and finds to be wrong. Pure data. */

/**
 * `size` and `content`: other than the name says. `changed-silently`: another content than the side record says, though nobody has changed
 * the file. `unreadable`: the disk does not give it. `slot-content`: a packed file that is other than its header says. `slot-header`: what
 * stands in a trunk file where nothing or a header should.
 */
export const damages = [
  "size",
  "content",
  "changed-silently",
  "unreadable",
  "slot-content",
  "slot-header",
] as const;
export type Damage = (typeof damages)[number];

/** A part of a trunk file that is no file of its own. */
export interface DamagedRegion {
  readonly fileId: number;
  readonly offset: number;
  readonly size: number;
  /** Where the file in front of it begins, whose header may be what lies. */
  readonly before: number | undefined;
}

export interface Finding {
  /** `HH/HH/base`, of a part of a trunk file `HH/HH/base@offset`. */
  readonly place: string;
  readonly damage: Damage;
  readonly sizeBytes: number;
  /** What the content is to have, where that is known. */
  readonly crc32: number | undefined;
  readonly region: DamagedRegion | undefined;
}

export interface ScrubTally {
  /** Looked at, packed ones included. */
  files: number;
  /** Read from the disk. */
  bytes: number;
  /** What name, header or side record say. */
  good: number;
  /** Read well, and nothing says what they should be; from now on a side record does where there can be one. */
  unknown: number;
  damaged: number;
  /** Of the damaged: the disk did not give them. */
  unreadable: number;
  /** Wrong when read for the first time, and right when read again. */
  unsteady: number;
  /** Changed or gone while they were read, or just being made. */
  passedOver: number;
  /** Not of a FastDFS storage. */
  foreign: number;
  /** Directories that could not be listed. */
  closedDirectories: number;
}

export const tallyKeys = [
  ...(["files", "bytes", "good", "unknown", "damaged", "unreadable", "unsteady"] as const),
  ...(["passedOver", "foreign", "closedDirectories"] as const),
] as const satisfies readonly (keyof ScrubTally)[];

export function emptyTally(): ScrubTally {
  return {
    ...{ files: 0, bytes: 0, good: 0, unknown: 0, damaged: 0, unreadable: 0, unsteady: 0 },
    ...{ passedOver: 0, foreign: 0, closedDirectories: 0 },
  };
}
