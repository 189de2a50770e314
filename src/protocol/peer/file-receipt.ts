/**
 * Our own addition to FastDFS, between storages of Cairn only: what the asked storage knows of a file that it has itself. C's storages answer
 * that the command is unknown, and are asked by QUERY_FILE_INFO.
 */
import { flag, refined, restText, size, struct, text, u8, u32 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { groupText } from "#protocol/fields.ts";
import { message } from "#protocol/message.ts";

/** An id of 16 bytes in hexadecimal. */
const idWidth = 32;
const maxDirectoryBytes = 1024;

/** What the CRC-32 was taken from; `none`: it is not known. */
export const crcOrigins = ["none", "name", "record", "read"] as const;
export type CrcOrigin = (typeof crcOrigins)[number];

/** As a scrub found it; `aside` and `lost` ones are not in their places. */
export const damagedWords = ["no", "found", "aside", "lost", "kept"] as const;
export type DamagedWord = (typeof damagedWords)[number];

const crcOrigin = refined(u8, {
  what: "what a CRC-32 was taken from",
  parse: (number) => crcOrigins[number],
  format: (word: CrcOrigin) => crcOrigins.indexOf(word),
});

const damagedWord = refined(u8, {
  what: "how a file is damaged",
  parse: (number) => damagedWords[number],
  format: (word: DamagedWord) => damagedWords.indexOf(word),
});

/**
 * `reads`: the content is read from the disk for its CRC-32. Status 2 where the asked storage does not have the file. Times in Unix seconds,
 * 0 where there is none: by when all of it was on stable storage there (`FileRecord.flushedAt`), and when a scrub has last read it and found it well. `pathId` is that of
 * the store path, `diskId` that of the disk below it; both may be empty.
 */
export const fileReceipt = message({
  name: "fileReceipt",
  command: commands.fileReceipt,
  request: struct({ group: groupText, reads: flag, filename: restText(1, 127) }),
  reply: struct({
    fileSize: size,
    modifiedAt: u32,
    crc32: u32,
    crcFrom: crcOrigin,
    flushedAt: u32,
    verifiedAt: u32,
    damaged: damagedWord,
    storePathIndex: u8,
    pathId: text(idWidth),
    diskId: text(idWidth),
    directory: restText(0, maxDirectoryBytes),
  }),
});

export const fileReceipts = { fileReceipt } as const;
