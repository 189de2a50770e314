/**
 * Our own addition to FastDFS, between storages of Cairn only: replication by batches, and single files in one exchange. A storage sends
 * `syncHello` first on each replication connection; who answers it is one of ours, C answers that it is unknown (protocol §1.6).
 *
 * `heldUntil` is a position and no time that clocks agree about: seconds as they stand in the names that the *sender* made, which never run
 * backwards there. A receiver that was told X has every file of the sender with a name time below X that was not deleted, but for `gaps`
 * files that were set aside; how many, a sender cannot say (`unknownGaps`) that lost a disk and has not compared all files with the receiver's.
 */
import {
  counted,
  flag,
  list,
  ranged,
  restText,
  size,
  struct,
  text,
  u8,
  u32,
} from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText, storageId, storageIdText } from "#protocol/fields.ts";
import { measured, measuredText } from "#protocol/measured.ts";
import { downloadMessage, message, nothing, uploadMessage } from "#protocol/message.ts";
import { maxSyncBatchBytes, maxSyncRecords } from "#protocol/peer/sync-record.ts";

/** Sources that a receiver tells about; as in `reportHeld`. */
export const maxHeldSources = 64;
export const unknownGaps = 0xffffffff;
/** An id of 16 bytes in hexadecimal. */
const diskIdWidth = 32;

/**
 * Opens a replication connection: which storage speaks, and its name clock now, so that a receiver that was told of later positions forgets
 * them. The reply says who answers, by which disk it is known under whatever address (empty where that is not known), and what it holds of
 * whom.
 */
export const syncHello = message({
  name: "syncHello",
  command: commands.syncHello,
  request: struct({ group: groupText, id: storageId, clock: u32 }),
  reply: struct({
    id: storageIdText,
    disk: text(diskIdWidth),
    held: list(struct({ id: storageIdText, heldUntil: u32 }), { max: maxHeldSources }),
  }),
});

/**
 * Records with small contents (`sync-record.ts`) behind this head; none at all is a sign of life that carries the position. Answered by a
 * status for each record, in their order.
 */
export const syncBatch = uploadMessage({
  name: "syncBatch",
  command: commands.syncBatch,
  request: struct({
    group: groupText,
    id: storageId,
    heldUntil: u32,
    gaps: u32,
    records: ranged(u32, 0, maxSyncRecords),
    bytes: ranged(u32, 0, maxSyncBatchBytes),
    /** `headCheck` of `id`, `heldUntil`, `gaps`, `records` and `bytes`. */
    check: u32,
  }),
  reply: struct({ statuses: counted(u32, u8, maxSyncRecords) }),
  payloadSize: (request) => request.bytes,
});

/** One file whose content is too large for a batch. `hasCrc32` is false where the name has one that holds. */
export const syncFile = uploadMessage({
  name: "syncFile",
  command: commands.syncFile,
  request: measured(
    { filename: measuredText(1, 127) },
    {
      fileSize: size,
      timestamp: u32,
      group: groupText,
      id: storageId,
      replaces: flag,
      hasCrc32: flag,
      crc32: u32,
      /** `headCheck` of the name, `timestamp`, `id`, `replaces`, `hasCrc32` and `crc32`. */
      check: u32,
    },
  ),
  reply: nothing,
  payloadSize: (request) => request.fileSize,
});

/** The file, or its metadata (`…-m`), as the asked storage itself has it: `fetchedHeadBytes` of head, then the content. */
export const fetchFile = downloadMessage({
  name: "fetchFile",
  command: commands.fetchFile,
  request: struct({ group: groupText, id: storageIdText, filename: restText(1, 127) }),
});

export const replication = { syncHello, syncBatch, syncFile, fetchFile } as const;
