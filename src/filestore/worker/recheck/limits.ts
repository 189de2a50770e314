/** How much looking at files again does at a time, and keeps. */

/** Of the thread's time, in percent. */
export const recheckShare = 20;
/** Done between two looks at the requests. */
export const recheckStepMs = 3;
/** Longest pause between two steps, so that it goes on at all. */
export const maxRecheckPauseMs = 250;
/** End of the binlog whose files are looked at first: about 65,000 records. Where more came in the time that counts, all files are looked at. */
export const maxTailBytes = 4 * 1024 * 1024;
/** How far it is, is noted this often, and told. */
export const noteEveryMs = 30_000;
export const tellEveryMs = 1000;
/** Names that were found in order before their turn, and are not looked at once more when they are asked for. */
export const maxProved = 65_536;
/** Files that are kept aside: what is left of them may be of use where nobody else has them. */
export const maxAside = 1000;
/** Lost files of which it is looked for in the end whether they came back. */
export const maxFollowed = 10_000;
/** Of the list of what was lost. */
export const maxListBytes = 1024 * 1024;
/** Lost files that are named to the main thread. */
export const maxExamples = 3;
