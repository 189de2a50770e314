/** Limits of the load generator. Times in milliseconds, sizes in bytes. */

/** Connections of one step; each has one operation under way. */
export const maxConnections = 1024;
/** Content up to this size goes out together with its request, in one write. */
export const contentInHeadBytes = 64 * 1024;
/** What longer content is made of, and sent in. */
export const patternBytes = 256 * 1024;
/** Pieces of one content that wait for the kernel. */
export const piecesInFlight = 2;
/** A reply that is looked at must fit; all that the generator asks for do, but metadata, which is only counted. */
export const keptReplyBytes = 256;
export const connectTimeoutMs = 5_000;
/** How often the clock is looked at for operations without answer. */
export const watchPeriodMs = 100;
/** After Ctrl-C operations under way get so long to end, for an upload that is cut off leaves a file nobody knows. */
export const interruptDrainMs = 3_000;
/** A connection that cannot be opened is tried again after so long … */
export const reconnectDelayMs = 50;
/** … and so often, without an operation that succeeded in between; then the server is given up. */
export const maxFruitlessConnects = 20;
