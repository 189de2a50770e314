/** How much a store path's engine does at a time. */

/** Bytes that one step of long work reads or copies. */
export const stepBytes = 1024 * 1024;
/** Binlog after which the checkpoint moves on: what a start after a crash has to look at, about 17,000 records. */
export const checkpointBytes = 1024 * 1024;
/** A long body is flushed each time this much has come, so that its last flush does not hold the disk up for long. */
export const flushEveryBytes = 16 * 1024 * 1024;
/** Smaller bodies are not worth asking how much room there is. */
export const spaceCheckBytes = 1024 * 1024;
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
