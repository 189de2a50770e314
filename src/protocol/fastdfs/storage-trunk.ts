/** How the storages of a group share trunk files, which one of them, the trunk server, divides into slots (protocol §2.8, §4). */
import { headerStatus, i32, i64, ranged, restBytes, struct, u8 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText, trunkLocation } from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";

/** Storage to trunk server: a slot for `size` bytes, its header included. */
export const trunkAllocSpace = message({
  name: "trunkAllocSpace",
  command: commands.trunkAllocSpace,
  request: struct({
    group: groupText,
    size: ranged(i32, 0, 0x7fffffff),
    storePathIndex: u8,
  }),
  reply: trunkLocation,
});

/** Storage to trunk server: what became of the slot; `headerStatus` is the result of writing to it. */
export const trunkAllocConfirm = message({
  name: "trunkAllocConfirm",
  command: commands.trunkAllocConfirm,
  request: struct({ headerStatus, group: groupText, location: trunkLocation }),
  reply: nothing,
  statusOfRequest: (request) => request.headerStatus,
});

/** Storage to trunk server: a slot is free again. */
export const trunkFreeSpace = message({
  name: "trunkFreeSpace",
  command: commands.trunkFreeSpace,
  request: struct({ group: groupText, location: trunkLocation }),
  reply: nothing,
});

/** Trunk server to storages: whole lines of its trunk binlog. They are few enough to be held in memory. */
export const trunkSyncBinlog = message({
  name: "trunkSyncBinlog",
  command: commands.trunkSyncBinlog,
  request: struct({ lines: restBytes(1) }),
  reply: nothing,
});

/** Tracker to storage: how long is your trunk binlog, in bytes? */
export const trunkGetBinlogSize = message({
  name: "trunkGetBinlogSize",
  command: commands.trunkGetBinlogSize,
  request: nothing,
  reply: struct({ size: i64 }),
});

/** Tracker to the storage that is to become trunk server: forget how far others have read. */
export const trunkDeleteBinlogMarks = message({
  name: "trunkDeleteBinlogMarks",
  command: commands.trunkDeleteBinlogMarks,
  request: nothing,
  reply: nothing,
});

/** Trunk server to storages: the trunk binlog starts anew. */
export const trunkTruncateBinlogFile = message({
  name: "trunkTruncateBinlogFile",
  command: commands.trunkTruncateBinlogFile,
  request: nothing,
  reply: nothing,
});

export const storageTrunk = {
  trunkAllocSpace,
  trunkAllocConfirm,
  trunkFreeSpace,
  trunkSyncBinlog,
  trunkGetBinlogSize,
  trunkDeleteBinlogMarks,
  trunkTruncateBinlogFile,
} as const;
