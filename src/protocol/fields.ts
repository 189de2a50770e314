/**
 * Codecs of the fields that many FastDFS messages share. Names that a requester looks up stay plain text, because an unknown
 * name is "not found" and no malformed message; what servers state about themselves is checked and branded. Pure.
 */
import { type GroupName, isGroupName } from "#model/group-name.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import type { Codec, WireContext, WireReader, WireWriter } from "#protocol/codec.ts";
import { refined, text } from "#protocol/codecs.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** Bytes of a group field in most messages; a few structs have one more. */
export const groupWidth = 16;
/** Bytes of a storage id field, the last of which is NUL. */
export const storageIdWidth = 16;
/** Bytes of address fields between servers, whatever clients are answered with (protocol §1.5). */
export const peerAddressWidth = 46;

/** A group as somebody names it: any text of at most 16 bytes. */
export const groupText: Codec<string> = text(groupWidth);

/** The name of a group that exists; `invalid` when it is none. */
export function groupName(width: 16 | 17): Codec<GroupName> {
  return refined(text(width), {
    what: "a group name",
    parse: (raw) => (isGroupName(raw) ? raw : undefined),
    format: (value) => value,
  });
}

/** A storage id as somebody names it: any text of at most 16 bytes, possibly empty. */
export const storageIdText: Codec<string> = text(storageIdWidth);

/** The id of a storage that exists. */
export const storageId: Codec<StorageId> = refined(storageIdText, {
  what: "a storage id",
  parse: (raw) => (isStorageId(raw) ? raw : undefined),
  format: (value) => value,
});

/** The id of a storage, or nothing: an empty field. */
export const optionalStorageId: Codec<StorageId | undefined> = {
  encode: (value, writer) => writer.paddedText(value ?? "", storageIdWidth),
  decode(reader) {
    const raw = reader.paddedText(storageIdWidth);
    if (raw === "") return undefined;
    if (isStorageId(raw)) return raw;
    throw new ProtocolError("invalid", `"${raw}" is not a storage id`);
  },
};

/** An address between servers. */
export const peerAddress: Codec<string> = text(peerAddressWidth);

/** A port in an i64 which a client is to connect to: 1 … 65535. */
export const port: Codec<number> = {
  encode: (value, writer) => writer.i64(value),
  decode(reader) {
    const value = reader.i64();
    if (value < 1 || value > 65535) throw new ProtocolError("invalid", `${value} is not a port`);
    return value;
  },
};

/** Reads a group that exists; `invalid` when the text is no group name. */
export function readGroupName(reader: WireReader): GroupName {
  const raw = reader.paddedText(groupWidth);
  if (isGroupName(raw)) return raw;
  throw new ProtocolError("invalid", `"${raw}" is not a group name`);
}

/** Writes an address; one too wide for the field would reach the client cut off, and thus is an error. */
export function writeAddress(writer: WireWriter, address: string, width: number): void {
  if (Buffer.byteLength(address) > width) {
    throw new ProtocolError("invalid", `address ${address} does not fit ${width} bytes`);
  }
  writer.paddedText(address, width);
}

/** The width to read with: where the length of the reply fits one only, that one (protocol §1.5). */
export function widthByLength(
  length: number,
  lengths: { readonly narrow: number; readonly wide: number },
): WireContext["addressWidth"] {
  if (length === lengths.narrow) return 16;
  if (length === lengths.wide) return 46;
  const expected = `${lengths.narrow} or ${lengths.wide}`;
  throw new ProtocolError("invalid", `a reply of ${length} bytes instead of ${expected}`);
}
