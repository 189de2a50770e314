/** Bounds of recovery. Times in milliseconds. */

/** Passes over all that a peer has; what fails in each of them is left. */
export const maxPasses = 3;
/** While clients are served, no more files than this are fetched at the same time. */
export const lanesWhileServing = 4;
/** Directories that are listed together. */
export const leavesAtOnce = 64;
/** No peer can be asked: the next look comes after this. */
export const sourcePeriodMs = 5000;
/** A pass that failed is begun again after this. */
export const retryPassMs = 10_000;
/** Rates and remaining times are those of this long. */
export const rateWindowMs = 60_000;
/** State is saved on the path this often. */
export const savePeriodMs = 5000;
/** Of a list of names, as protocol §2.7/26 sends it: four million files. */
export const maxListBytes = 256 * 1024 * 1024;
/** A C storage looks at each file before it sends a piece of its list (protocol §7). */
export const listTimeoutMs = 600_000;
/** The foreground counts as busy for so long after it asked for something. */
export const busyForMs = 200;
