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
/** Sources of which a storage's positions are kept, with those that left the group; 12 bytes each. */
export const maxHeldSources = 256;
/** A storage of ours sends something every second; after this long without anything clients are not sent to it. */
export const aliveSilenceMs = 4000;
/** How often that is looked at: together with the silence below the 5 s within which a node that vanished is routed around. */
export const aliveCheckPeriodMs = 500;
/** §9.7: a follower asks its leader this often whether it is there. */
export const leaderPingPeriodMs = 1000;
/** §9.7: pings in a row without answer after which a leader is forgotten. */
export const leaderLostAfterFailures = 3;
/** A leader looks this often whether somebody else leads, too. */
export const rivalSearchPeriodMs = 5000;
/** Steps of an election are taken this often. */
export const electionTickMs = 500;
/** A tracker that is asked something answers within this, or is passed over. */
export const trackerQuestionTimeoutMs = 2000;
/** An election that came to nothing is repeated after this at least, and up to the second at most; by chance, so that two do not collide again. */
export const electionPauseMs = { least: 1000, most: 3000 } as const;
/** How often a follower reads the leader's file of groups. */
export const groupsFileReads = { everyPings: 3 } as const;
/** `maxGroups` sections of some 250 bytes. */
export const maxGroupsFileBytes = 1024 * 1024;
/** A leader of several trackers gives at most this many numbers of trunk files that its followers have not read of. */
export const maxUnseenFileIds = 4000;
/** A new leader passes over this many: more than twice as many as the one before can have given without its knowledge. */
export const skippedFileIdsPerTerm = 10_000;
/** §9.7 step "system files": after a longer time without sign of life another tracker knows better. */
export const longAbsenceSeconds = 600;
/** Joins are refused this often, and no longer, while another tracker is there whose files cannot be copied. */
export const maxCopyAttempts = 5;
/** C's changelog has no bound; some 400,000 moves. */
export const maxSystemFileBytes = 16 * 1024 * 1024;
