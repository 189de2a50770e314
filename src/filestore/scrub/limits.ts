/** How much a scrub does at a time, and keeps. */

/** A step of the worker takes no longer, as far as the disk lets it. */
export const maxStepMs = 50;
/** What small files may take together until requests are looked at again. */
export const stepMs = 8;
/** The smallest piece of a file that is read at a time, where the disk is slow. */
export const minPieceBytes = 64 * 1024;
/** As long after the last request nobody counts as waiting for the disk. */
export const quietMs = 100;
/** Longest pause between two steps, so that it goes on at all. */
export const maxPauseMs = 1000;
/** Of a file, that the disk reads while one is looked at. */
export const piecesAhead = 2;
/** Files that the disk begins to read while one is looked at. */
export const filesAhead = 24;
/** Where files are read around what the disk does not give. */
export const badBlockBytes = 4096;
/** What may still be under way, by the time in its name, is not judged: in seconds. Headers are written last, and with whole slots. */
export const youngSlotSeconds = 5;
/** A change in the same tick as the last one does not show in the times: younger files get no side record. */
export const youngChangeNs = 2_000_000_000n;
/** How far it is, is noted this often, and told. */
export const noteEveryMs = 30_000;
export const tellEveryMs = 1000;
/** Damaged files that are kept in mind until they are healed, or given up; further ones are counted. */
export const maxDamaged = 10_000;
/** Of the file that lists them. */
export const maxDamagedBytes = 4 * 1024 * 1024;
/** Damaged files that are named in reports. */
export const maxExamples = 5;
/** Side records of one upper directory, in bytes of text; longer ones are begun anew. */
export const maxSideBytes = 256 * 1024 * 1024;
/** Lines of side records that are read in one step. */
export const sideLinesPerStep = 2000;
