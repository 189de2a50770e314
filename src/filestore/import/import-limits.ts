/** How much an import does at a time. */

/** Files that are noted before they are stored: as many may have been stored without anybody's knowledge when it is interrupted. */
export const importBatch = 64;
/** Of a file, that are read at a time. */
export const importPieceBytes = 256 * 1024;
/** How far it is, is told this often. */
export const importTellMs = 500;
/** Files not to be had that are named in what is told; the list has all. */
export const maxLeftTold = 20;
/** Of each binlog of this node, where what an interrupted import has stored is looked for. */
export const importTailBytes = 16 * 1024 * 1024;
/** Names found there. */
export const maxCandidates = 10_000;
