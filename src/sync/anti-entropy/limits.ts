/** Bounds of anti-entropy. Times in milliseconds. */

/** Differences that are held, looked up and repaired together. */
export const maxDifferencesAtOnce = 4096;
/** What differs is looked at again after this: changes that were on their way have arrived. */
export const recheckAfterMs = 5000;
/** How often a walk is asked how far it is. */
export const progressPeriodMs = 250;
/** Another inventory is under way: asked again after this. */
export const retryBeginMs = 2000;
/** A walk that takes longer is given up: 100 million files on a slow disk take less. */
export const walkLimitMs = 12 * 60 * 60_000;
/** Inventories that are kept for those who compare with them: 768 KiB each. */
export const maxKeptInventories = 8;
/** After the start of the node. */
export const firstRoundMs = 60 * 60_000;
/** Of the time of a store path's thread that inventories take, in percent. */
export const backgroundShare = 20;
/** Files that a repair fetches at the same time. */
export const repairLanes = 4;
/** Each of them rests for so long after a file while clients are served. */
export const restWhileServingMs = 50;
/** A search reads all of a binlog; of 100 million records it takes two minutes. */
export const searchTimeoutMs = 15 * 60_000;
/** Of a peer that mends files there. */
export const mendTimeoutMs = 10 * 60_000;
/** After a loss, while a peer has not told yet what is held of its files: asked again after this, so often. */
export const unsettledRetryMs = 5000;
export const maxUnsettledRetries = 12;
/** After a round that failed. */
export const retryRoundMs = 10 * 60_000;
/** Store paths whose disks slept when their turn came are looked for this often; what a disk says of its sleep is believed for longer. */
export const restingRetryMs = 30_000;
/** A disk that slept for so long when its turn came is woken for it. */
export const longestRestMs = 24 * 60 * 60_000;
/** A file whose versions met is compared with all members when none did for so long, then again while somebody is away. */
export const contestRestMs = 20_000;
export const contestRetryMs = 30_000;
/** About a day. */
export const maxContestTries = 2880;
export const maxContestedFiles = 1024;
