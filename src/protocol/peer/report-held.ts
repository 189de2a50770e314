/**
 * Our own addition to FastDFS, between storages and trackers of Cairn only: a storage tells up to which position it holds each
 * peer's files, every second, to each tracker whose parameters have a line `cairn`. It is a short sign of life besides, and its reply
 * carries what a beat's reply would: news of members reach a storage within a second.
 *
 * Positions are name times: seconds as they stand in the file ids that the *source* made, which never run backwards there. "Everything of
 * `id` below `heldUntil`" therefore is a place in the source's own order; no two clocks are compared.
 */
import { list, struct, u32 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { changeReport } from "#protocol/fastdfs/change-report.ts";
import { readWriteModeByte } from "#protocol/fastdfs/monitoring.ts";
import { groupText, storageIdText } from "#protocol/fields.ts";
import { message } from "#protocol/message.ts";

/** In one message; twice as many as a group can have members, for those that left. */
export const maxHeldEntries = 64;

/**
 * Joined: the storage `id` of `group` has every file that came from a source below that source's name time `heldUntil` (exclusive) and
 * was not deleted; a source that is not named is held up to nothing known. `ownClock`: every file that it makes from now on has at least
 * this name time. `mode`: what clients may do there by its own settings (`storage.mode`), which FastDFS has no field for.
 */
export const reportHeld = message({
  name: "reportHeld",
  command: commands.reportHeld,
  request: struct({
    group: groupText,
    id: storageIdText,
    ownClock: u32,
    mode: readWriteModeByte,
    entries: list(struct({ id: storageIdText, heldUntil: u32 }), { max: maxHeldEntries }),
  }),
  reply: changeReport,
});

export const heldReports = { reportHeld } as const;
