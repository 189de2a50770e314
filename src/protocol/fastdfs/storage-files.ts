/**
 * What clients ask a storage about files (protocol §2.6): store, read, change, delete. `filename` is the logical name without
 * group (`M00/00/00/…`); the decoders check lengths only, `parseRemoteFilename` checks the name. Sizes and offsets in bytes.
 */
import type { GroupName } from "#model/group-name.ts";
import type { Codec, WireContext } from "#protocol/codec.ts";
import { checkLength, drained, restText, size, struct, text } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  groupText,
  groupWidth,
  readGroupName,
  widthByLength,
  writeAddress,
} from "#protocol/fields.ts";
import { measured, measuredBytes, measuredText } from "#protocol/measured.ts";
import { downloadMessage, message, nothing, uploadMessage } from "#protocol/message.ts";

export const extensionWidth = 6;
export const prefixWidth = 16;
/** Bits of `headerStatus` in `queryFileInfo`. */
export const queryFileInfoFlags = { withoutCrc32: 1, silentWhenMissing: 2 } as const;

/**
 * Our own, a bit of the header's status of downloads, file infos and questions for metadata: a storage asks for a client of its own. It is
 * answered from what is here and never asked on. C looks at the two bits of `queryFileInfo` alone.
 */
export const askedOnBehalf = 64;

const mostNameBytes = 127;
/** An appender's name has a full E27 and X7 (protocol §3.1). */
const appenderName = measuredText(44, mostNameBytes);

/** The start of UPLOAD_FILE and UPLOAD_APPENDER_FILE; the content follows. */
export interface UploadRequest {
  /** 0 … 254, or `anyStorePath` (255) to let the storage choose. */
  readonly storePathIndex: number;
  readonly fileSize: number;
  /** Without dot, at most 6 bytes, possibly empty. */
  readonly extension: string;
}

/** The name that a file got. */
export interface StoredFile {
  readonly group: GroupName;
  readonly filename: string;
}

/** A file of a group. */
export interface FileReference {
  readonly group: string;
  readonly filename: string;
}

/** A file that is read. */
export interface ReadReference extends FileReference {
  /** `askedOnBehalf`, or left out. */
  readonly headerStatus?: number;
}

export interface DownloadRequest extends ReadReference {
  readonly offset: number;
  /** How many bytes are wanted; 0 = up to the end. */
  readonly length: number;
}

export interface FileInfoRequest extends FileReference {
  /** `queryFileInfoFlags`. */
  readonly headerStatus: number;
}

export interface FileInfo {
  readonly fileSize: number;
  /** Unix seconds. */
  readonly modifiedAt: number;
  /** Unsigned. */
  readonly crc32: number;
  /** Empty where the source's id is unknown. */
  readonly sourceAddress: string;
}

const uploadRequest: Codec<UploadRequest> = {
  encode(value, writer, context) {
    writer.u8(value.storePathIndex);
    size.encode(value.fileSize, writer, context);
    extension.encode(value.extension, writer, context);
  },
  decode(reader, context) {
    const storePathIndex = reader.u8();
    const fileSize = size.decode(reader, context);
    return { storePathIndex, fileSize, extension: reader.paddedText(extensionWidth) };
  },
};

const extension = text(extensionWidth);

const storedFile: Codec<StoredFile> = {
  encode(value, writer) {
    writer.paddedText(value.group, groupWidth);
    writer.text(value.filename);
  },
  decode(reader) {
    const group = readGroupName(reader);
    checkLength(reader.remaining, 1, mostNameBytes);
    return { group, filename: reader.text(reader.remaining) };
  },
};

const wholeText = restText(1);

/** C ends a name at its first NUL, and there are clients that send one; so do we. */
const anyFilename: Codec<string> = {
  encode: wholeText.encode,
  decode(reader, context) {
    const raw = wholeText.decode(reader, context);
    const end = raw.indexOf("\0");
    return end < 0 ? raw : raw.slice(0, end);
  },
};

/** A file of a group, by any text that may be a name. */
export const fileReference: Codec<FileReference> = {
  encode(value, writer, context) {
    groupText.encode(value.group, writer, context);
    anyFilename.encode(value.filename, writer, context);
  },
  decode(reader, context) {
    const group = reader.paddedText(groupWidth);
    return { group, filename: anyFilename.decode(reader, context) };
  },
};

const downloadRequest: Codec<DownloadRequest> = {
  encode(value, writer, context) {
    size.encode(value.offset, writer, context);
    size.encode(value.length, writer, context);
    fileReference.encode(value, writer, context);
  },
  decode(reader, context) {
    const offset = size.decode(reader, context);
    const length = size.decode(reader, context);
    const group = reader.paddedText(groupWidth);
    const request = { offset, length, group, filename: anyFilename.decode(reader, context) };
    return withStatus(request, context);
  },
};

/** `fileReference` of a file that is read. */
export const readReference: Codec<ReadReference> = {
  encode: fileReference.encode,
  decode: (reader, context) => withStatus(fileReference.decode(reader, context), context),
};

/** Every download comes through: nothing is copied where the status is 0, as it is for clients. */
function withStatus<Request extends ReadReference>(
  request: Request,
  { requestStatus = 0 }: WireContext,
): Request {
  return requestStatus === 0 ? request : { ...request, headerStatus: requestStatus };
}

const fileInfoRequest: Codec<FileInfoRequest> = {
  encode(value, writer, context) {
    fileReference.encode(value, writer, context);
  },
  decode(reader, context) {
    const group = reader.paddedText(groupWidth);
    const filename = anyFilename.decode(reader, context);
    return { headerStatus: context.requestStatus ?? 0, group, filename };
  },
};

/** The CRC-32 travels sign-extended to 64 bits; zero-extended ones read the same. */
const fileInfo: Codec<FileInfo> = {
  encode(value, writer, context) {
    writer.i64(value.fileSize);
    writer.i64(value.modifiedAt);
    writer.i64(value.crc32 | 0);
    writeAddress(writer, value.sourceAddress, context.addressWidth);
  },
  decode(reader, context) {
    const width = widthByLength(reader.remaining, { narrow: 40, wide: 70 });
    const fileSize = size.decode(reader, context);
    const modifiedAt = reader.i64();
    const crc32 = reader.i64() >>> 0;
    return { fileSize, modifiedAt, crc32, sourceAddress: reader.paddedText(width) };
  },
};

/** Store a file. */
export const uploadFile = uploadMessage({
  name: "uploadFile",
  command: commands.uploadFile,
  request: uploadRequest,
  reply: storedFile,
  payloadSize: (request) => request.fileSize,
});

/** Store a file that can be changed later. */
export const uploadAppenderFile = uploadMessage({
  name: "uploadAppenderFile",
  command: commands.uploadAppenderFile,
  request: uploadRequest,
  reply: storedFile,
  payloadSize: (request) => request.fileSize,
});

/** Store a file that belongs to another one and is named after it. */
export const uploadSlaveFile = uploadMessage({
  name: "uploadSlaveFile",
  command: commands.uploadSlaveFile,
  request: measured(
    { masterFilename: measuredText(11, mostNameBytes) },
    { fileSize: size, prefix: text(prefixWidth), extension },
  ),
  reply: storedFile,
  payloadSize: (request) => request.fileSize,
});

/** Add bytes at the end of an appender file. */
export const appendFile = uploadMessage({
  name: "appendFile",
  command: commands.appendFile,
  request: measured({ filename: appenderName }, { length: size }),
  reply: drained,
  payloadSize: (request) => request.length,
});

/** Overwrite bytes of an appender file. */
export const modifyFile = uploadMessage({
  name: "modifyFile",
  command: commands.modifyFile,
  request: measured({ filename: appenderName }, { offset: size, length: size }),
  reply: drained,
  payloadSize: (request) => request.length,
});

/** Set the size of an appender file. */
export const truncateFile = message({
  name: "truncateFile",
  command: commands.truncateFile,
  request: measured({ filename: appenderName }, { fileSize: size }),
  reply: drained,
});

/** Make a normal file of an appender file, which gets a new name. */
export const regenerateAppenderFilename = message({
  name: "regenerateAppenderFilename",
  command: commands.regenerateAppenderFilename,
  request: struct({ filename: restText(44, mostNameBytes) }),
  reply: storedFile,
});

/** Delete a file and its metadata. */
export const deleteFile = message({
  name: "deleteFile",
  command: commands.deleteFile,
  request: fileReference,
  reply: nothing,
});

/** Read a file, or a range of it. */
export const downloadFile = downloadMessage({
  name: "downloadFile",
  command: commands.downloadFile,
  request: downloadRequest,
  statusOfRequest: ({ headerStatus = 0 }) => headerStatus,
});

/** Size, time, CRC-32 and source of a file. */
export const queryFileInfo = message({
  name: "queryFileInfo",
  command: commands.queryFileInfo,
  request: fileInfoRequest,
  reply: fileInfo,
  statusOfRequest: (request) => request.headerStatus,
});

/** Another name for a file of this storage; used for deduplication. */
export const createLink = message({
  name: "createLink",
  command: commands.createLink,
  request: measured(
    {
      masterFilename: measuredText(0, mostNameBytes),
      sourceFilename: measuredText(1, mostNameBytes),
      signature: measuredBytes(1, 63),
    },
    { group: groupText, prefix: text(prefixWidth), extension },
    256,
  ),
  reply: storedFile,
});

export const storageFiles = {
  uploadFile,
  uploadAppenderFile,
  uploadSlaveFile,
  appendFile,
  modifyFile,
  truncateFile,
  regenerateAppenderFilename,
  deleteFile,
  downloadFile,
  queryFileInfo,
  createLink,
} as const;
