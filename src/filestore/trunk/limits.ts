/** How much packing holds, and does at a time. */

/** Trunk files that slots are taken from at a time. */
export const maxActiveFiles = 4;
/** A file with more free extents gives no slots: they would all be noted at each checkpoint. */
export const maxActiveExtents = 32_768;
/** Free extents that are kept in memory for all trunk files of a store path: 16 bytes each. */
export const maxExtentsInMemory = 1_000_000;
/** The part of a trunk file that must be free before slots are taken from it again. */
export const minReusablePart = 1 / 8;
/** The part of a trunk file that must be free before it is made sparse. */
export const minCompactablePart = 3 / 4;
/** The part of a trunk file that making it sparse must give back. */
export const minReclaimedPart = 1 / 2;
/** With fewer numbers for new trunk files left, more are asked for, and so many. */
export const leaseLow = 2;
export const leaseWanted = 4;
/** After a trunk file could not be made, files are files of their own for so long. */
export const retryMakingMs = 10_000;
/** Without a number for a new trunk file, room in others is looked for this often. */
export const retryRoomMs = 500;
/** Slots with more content are received straight into their trunk file. */
export const directContentBytes = 256 * 1024;
/** A packed file is read together with its header up to this size. */
export const readTogetherBytes = 64 * 1024;
/** Content that a start after a crash without flushes compares with its CRC-32, the newest first. */
export const maxCheckedBytes = 1024 ** 3;
/**
 * Packed files of one commit that are flushed together with their records, in number and bytes of slots: as much is compared with its
 * CRC-32 at a start after a crash, the newest first. With more the slots are flushed before the records.
 */
export const maxFilesWithRecords = 256;
export const maxBytesWithRecords = 4 * 1024 ** 2;
/** Trunk files that zeros are written into before they are flushed together: each is kept open. With more, deletions flush theirs. */
export const maxUnflushedFiles = 64;
/** So long after a deletion a trunk file of others is looked at: where files come and go, the next one would make it again at once. */
export const unusedBeforeMs = 30_000;
/** Trunk files of others in which something was deleted, and that are still to be looked at: with more, later deletions bring them up. */
export const maxFilesToLookAt = 10_000;
/** Trunk files of others of which it is known where something stands; of those that are forgotten a deletion looks again. */
export const maxKnownToStand = 10_000;
/** Between two steps of work on trunk files in the background, each of them 1 MiB at most. */
export const upkeepPauseMs = 5;
/** A rebuild waits so long for a trunk file that is in use, and then leaves it out. */
export const restPatienceMs = 2000;
/** Slots of walked files whose names are looked for in one pass over the binlog: five bytes each. */
export const maxSlotsAtOnce = 2_000_000;
