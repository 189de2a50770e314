/** Limits of a session that speaks frames. */

/** The fixed part of a streamed request, names included, is far smaller. */
export const maxHeadBytes = 4096;
/** A peer that sends on while it waits for a reply is slowed down beyond this. */
export const maxEarlyBytes = 256 * 1024;
/** With more than this on the way to a peer that does not read, its next request has to wait. */
export const maxUnsentBytes = 64 * 1024;
