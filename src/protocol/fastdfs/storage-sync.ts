/**
 * How a storage passes what happened to it on to its peers (protocol §2.7). `timestamp` is that of the operation at its source,
 * in Unix seconds. The group field of C senders has garbage behind its NUL.
 */
import type { ValueOf } from "#protocol/codec.ts";
import { drained, headerStatus, restText, size, struct, u8, u32 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText, storageId } from "#protocol/fields.ts";
import { measured, measuredText } from "#protocol/measured.ts";
import { downloadMessage, message, nothing, uploadMessage } from "#protocol/message.ts";

const name = measuredText(1, 127);

/** `headerStatus` ≠ 0: the receiver has the file already, and no content follows. */
const fileRequest = measured(
  { filename: name },
  { headerStatus, fileSize: size, timestamp: u32, group: groupText },
);

type FileRequest = ValueOf<typeof fileRequest>;

const contentOf = (request: FileRequest): number =>
  request.headerStatus === 0 ? request.fileSize : 0;
const statusOf = (request: FileRequest): number => request.headerStatus;

const rangeRequest = measured(
  { filename: name },
  { offset: size, length: size, timestamp: u32, group: groupText },
);

/** Opens a replication connection: which storage is speaking. */
export const reportServerId = message({
  name: "reportServerId",
  command: commands.reportServerId,
  request: struct({ id: storageId }),
  reply: nothing,
});

/** A file was stored. */
export const syncCreateFile = uploadMessage({
  name: "syncCreateFile",
  command: commands.syncCreateFile,
  request: fileRequest,
  reply: nothing,
  payloadSize: contentOf,
  statusOfRequest: statusOf,
});

/** A file was replaced as a whole. */
export const syncUpdateFile = uploadMessage({
  name: "syncUpdateFile",
  command: commands.syncUpdateFile,
  request: fileRequest,
  reply: nothing,
  payloadSize: contentOf,
  statusOfRequest: statusOf,
});

/** A file was deleted. */
export const syncDeleteFile = message({
  name: "syncDeleteFile",
  command: commands.syncDeleteFile,
  request: struct({ timestamp: u32, group: groupText, filename: restText(1) }),
  reply: nothing,
});

/** A link was made. */
export const syncCreateLink = message({
  name: "syncCreateLink",
  command: commands.syncCreateLink,
  request: measured({ filename: name, sourceFilename: name }, { timestamp: u32, group: groupText }),
  reply: nothing,
});

/** Bytes were appended at `offset`, the size until then. */
export const syncAppendFile = uploadMessage({
  name: "syncAppendFile",
  command: commands.syncAppendFile,
  request: rangeRequest,
  reply: nothing,
  payloadSize: (request) => request.length,
});

/** Bytes were overwritten. */
export const syncModifyFile = uploadMessage({
  name: "syncModifyFile",
  command: commands.syncModifyFile,
  request: rangeRequest,
  reply: nothing,
  payloadSize: (request) => request.length,
});

/** The size was changed. */
export const syncTruncateFile = message({
  name: "syncTruncateFile",
  command: commands.syncTruncateFile,
  request: measured(
    { filename: name },
    { oldSize: size, newSize: size, timestamp: u32, group: groupText },
  ),
  reply: nothing,
});

/** An appender file became a normal one under a new name. */
export const syncRenameFile = message({
  name: "syncRenameFile",
  command: commands.syncRenameFile,
  request: measured({ filename: name, oldFilename: name }, { timestamp: u32, group: groupText }),
  // C answers with the request's body.
  reply: drained,
});

/** All names of one store path, for its recovery; the reply ends with the connection (`endlessLength`). */
export const fetchOnePathBinlog = downloadMessage({
  name: "fetchOnePathBinlog",
  command: commands.fetchOnePathBinlog,
  request: struct({ group: groupText, storePathIndex: u8 }),
});

export const storageSync = {
  reportServerId,
  syncCreateFile,
  syncUpdateFile,
  syncDeleteFile,
  syncCreateLink,
  syncAppendFile,
  syncModifyFile,
  syncTruncateFile,
  syncRenameFile,
  fetchOnePathBinlog,
} as const;
