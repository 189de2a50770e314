/** How much the index of contents does at a time. */

/** Rows that are written together: some milliseconds. */
export const indexBatchRows = 256;
/** Rows wait no longer than this for others to be written with. */
export const indexDelayMs = 1000;
/** Rows that wait in memory at most; then they are written wherever the worker is. */
export const maxWaitingRows = 4096;
/** How often in one run a damaged index is begun anew. */
export const maxNewIndexes = 3;
/** Runs of the path that the index knows; what was noted in earlier ones is read before it is relied on. */
export const maxKnownRuns = 1000;
/**
 * What a run noted in its last seconds may be gone if the power went with it, unless each file was flushed. The kernel writes
 * within 35 seconds what nobody flushes; this much is enough on disks that cannot keep up.
 */
export const unsettledSeconds = 600;
/** The walk rests this many times as long as its last step took. */
export const walkRestFactor = 4;
/** Between two steps of the walk, in milliseconds. */
export const minWalkRestMs = 2;
export const maxWalkRestMs = 500;
/** Files with several names that a walk remembers, not to read them again under each. */
export const maxRememberedInodes = 100_000;
