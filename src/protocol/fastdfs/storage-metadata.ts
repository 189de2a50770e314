/** Metadata of files (protocol §2.6): its text travels as bytes, because clients write it in encodings of their own. */
import { refined, restBytes, struct, u8 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { readReference } from "#protocol/fastdfs/storage-files.ts";
import { groupText } from "#protocol/fields.ts";
import { measured, measuredBytes, measuredText } from "#protocol/measured.ts";
import { message, nothing } from "#protocol/message.ts";

export type MetadataMode = "overwrite" | "merge";

const overwriteFlag = 0x4f;
const mergeFlag = 0x4d;

const mode = refined<number, MetadataMode>(u8, {
  what: "a metadata flag (79 'O' or 77 'M')",
  parse: (raw) => (raw === overwriteFlag ? "overwrite" : raw === mergeFlag ? "merge" : undefined),
  format: (value) => (value === "overwrite" ? overwriteFlag : mergeFlag),
});

/** Replace a file's metadata, or merge new entries into it. `metadata` is the text that `formatMetadata` makes. */
export const setMetadata = message({
  name: "setMetadata",
  command: commands.setMetadata,
  request: measured(
    {
      filename: measuredText(1, 127),
      metadata: measuredBytes(0, Number.POSITIVE_INFINITY),
    },
    { mode, group: groupText },
  ),
  reply: nothing,
});

/** Read a file's metadata. */
export const getMetadata = message({
  name: "getMetadata",
  command: commands.getMetadata,
  request: readReference,
  reply: struct({ metadata: restBytes() }),
  statusOfRequest: ({ headerStatus = 0 }) => headerStatus,
});

export const storageMetadata = { setMetadata, getMetadata } as const;
