/** Every bound of the tracker. Those with a section number are FastDFS's own, which other nodes rely on. */

/** §1.2 */
export const maxGroups = 512;
/** §1.2; deleted records count too. */
export const maxStoragesPerGroup = 32;
/** §1.2 */
export const maxTrackers = 16;
/** §2.4/77 */
export const maxChangelogReplyBytes = 8 * 1024;
/** Older lines are dropped beyond this; a line is some forty bytes and tells of one deleted or moved storage. */
export const maxChangelogBytes = 1024 * 1024;
/** §2.4/69: the send buffer of C, of which 128 bytes stay free. */
export const maxStorageIdsReplyBytes = 8 * 1024 - 128;
/** §2.4/75: the buffer in which C storages receive the parameters. */
export const maxParameterBytes = 1023;
/** §2.5/64: times are told in whole multiples of this. */
export const statusTimeUnitSeconds = 300;
/** §2.3/96: a follower whose last ping is older counts as away. */
export const followerSilenceSeconds = 3;
/** §5.5: how often the tracker notes that it is alive. */
export const aliveNotePeriodMs = 300_000;
/** Statistics of storages are written to the state at least this often. */
export const statisticsSavePeriodMs = 10_000;
/** Heart beats are checked this often, or ten times an interval where that is more seldom. */
export const shortestCheckPeriodMs = 1000;
/** A C node does not wait longer for a system file than its network timeout; one that went away without END is forgotten. */
export const maxSystemFileHoldMs = 60_000;
/** A storage that is asked for the size of its trunk binlog answers within this, or is passed over. */
export const trunkQuestionTimeoutMs = 5000;
/** Who copies system files without START sees the same ones for this long. */
export const maxGlanceAgeMs = 10_000;
