/** Bounds of replication. Times in milliseconds unless the name says otherwise. */

/** Records of one store path that may be read and not yet acknowledged by a peer. */
export const maxWindowRecords = 4096;
/** Of the binlog, at a time. */
export const binlogPageBytes = 64 * 1024;
/** Records that may be set aside for a peer on one store path; beyond, the path waits. */
export const maxAsideRecords = 400;
/** A record that fails for a reason of its own is tried this often before it is set aside. */
export const maxRecordTries = 3;
/** A record set aside is tried again after this, then after twice as long, … */
export const firstAsidePauseMs = 30_000;
export const maxAsidePauseMs = 60 * 60_000;
/** Aside records tried again in one go. */
export const asideTriesAtOnce = 16;
/** A link, or a path of it, that failed is tried again after this, then after twice as long, … */
export const firstRetryMs = 1000;
export const maxRetryMs = 60_000;
/** A peer that did not understand our own commands is taken for a C storage for so long. */
export const dialectMs = 60 * 60_000;
/** While somebody else is to fill a new member, trackers are asked again this often whether that is still so. */
export const askAgainMs = 30_000;
/** Marks are written at most this often while records flow. */
export const markPeriodMs = 1000;
/** Batches for a new member that go without asking what of them is there, after one of which nothing was. */
export const unaskedBatches = 15;
/** With nothing to send, a peer of ours hears of the position this often. */
export const idlePeriodMs = 1000;
/** More than this is worth another connection while one is busy. */
export const worthALaneRecords = 64;
export const worthALaneBytes = 256 * 1024;
/** Records before a new member's deadline that are sent all the same: binlogs are not strictly in the order of their times. */
export const untilMarginSeconds = 300;
/** Places in the binlog whose name clock is remembered while records before them are under way. */
export const maxClockPlaces = 64;
/** A file that nobody had is not looked for again for so long. */
export const absenceMs = 2000;
export const maxAbsences = 4096;
/** A source that trackers call away, and that was not there, is not asked again for so long. */
export const awayMs = 2000;
/** Files that are being fetched at the same time; further ones wait. */
export const maxFetches = 16;
export const maxFetchesWaiting = 1000;
/** Reads that are had from peers for clients at the same time, each with a connection of its own; further ones are refused. */
export const maxRelays = 64;
/** A peer that was asked for one has this long to begin; then another one is asked. */
export const relayTryMs = 5000;
/** A peer that could not be reached, or did not answer, comes last for so long. */
export const relayAvoidMs = 2000;
