/** How the copying of a store path goes on, and how much of it is kept in mind. */

/** What changed so short a time before it was copied is copied again: in nanoseconds. */
export const youngNs = 2_000_000_000n;
/** Times that are nearer than this are the same: systems set them less exactly than they keep them. */
export const sameTimeNs = 1000n;
/** Zeros are looked for in pieces of this size, where a file has holes. */
export const holeBytes = 4096;
/** A file is written onto the disk as it grows, so that the kernel holds back no more of it. */
export const flushEveryBytes = 64 * 1024 * 1024;
/** Files with several names that are kept in mind; further ones are copied for each name. */
export const maxLinked = 2_000_000;
/** Passes over a path that is served. The last one comes in any case when it is taken. */
export const maxPasses = 8;
/** A pass that copied no more than this is the last but one. */
export const littleBytes = 64 * 1024 * 1024;
export const littleFiles = 2000;
/** Files that could not be read, by name; further ones are one more. */
export const maxNamed = 1000;
/** How often is told how far it is. */
export const tellEveryMs = 500;
/** Work at a time until somebody else is let go first, and how large a share of the time it has while others wait for a disk. */
export const turnMs = 8;
export const busyShare = 15;
export const maxPauseMs = 1000;
