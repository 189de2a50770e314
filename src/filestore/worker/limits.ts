/** How much a store path's engine does at a time. */

/** Bytes that one step of long work reads or copies. */
export const stepBytes = 1024 * 1024;
/** Binlog after which the checkpoint moves on: what a start after a crash has to look at, about 17,000 records. */
export const checkpointBytes = 1024 * 1024;
/** A long body is flushed each time this much has come, so that its last flush does not hold the disk up for long. */
export const flushEveryBytes = 16 * 1024 * 1024;
/** Smaller bodies are not worth asking how much room there is. */
export const spaceCheckBytes = 1024 * 1024;
/**
 * What a full disk keeps for deletions: records of about 12,000 of them. A file that is deleted gives more back than its record takes;
 * packed ones do only when their trunk file is empty, or mostly so.
 */
export const reserveBytes = 1024 * 1024;
/** Of it, given to a commit that finds no room: more than the records of most batches. */
export const reserveStepBytes = 64 * 1024;
/** Beside the reserve, so much must be free before it is made. */
export const reserveMarginBytes = 64 * 1024;
/** Names tried for one file: a second try means that 30 random bits met the same name. */
export const maxNameAttempts = 10;
/** Metadata files that are longer are not read whole. */
export const maxMetadataBytes = 16 * 1024 * 1024;
/** How often a link of a trunk file may lead to another one. */
export const maxTrunkLinks = 4;
/** The kernel's file times lag behind its clock by up to one tick of 100 Hz; twice that is enough. */
export const fileTimeLagMs = 20;
/** End of the binlog that is read at a start to find the place in the rotation of directories again: about 700 records. */
export const distributionSearchBytes = 64 * 1024;
/** End of the binlog that is looked at when the checkpoint is lost: it is never further away, but for long changes under way. */
export const damagedTailBytes = 4 * checkpointBytes;
/** Files, the latest, that are read again after a failed flush. */
export const maxFilesReadAgain = 4096;
/** Of a file, sent to a peer before we look whether somebody else waits. */
export const directPieceBytes = 1024 * 1024;
/** Of a file, sent to a peer in one go where nobody else waits. */
export const directTurnBytes = 16 * 1024 * 1024;
