/**
 * Codecs of the fields that many FastDFS messages share. Names that a requester looks up stay plain text, because an unknown
 * name is "not found" and no malformed message; what servers state about themselves is checked and branded. Pure.
 */
import {
  type Endpoint,
  formatEndpoint,
  maxEndpointLength,
  parseEndpoint,
} from "#model/endpoint.ts";
import { type GroupName, isGroupName } from "#model/group-name.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { isStorageStatus, type StorageStatus } from "#model/storage-status.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import type { Codec, WireContext, WireReader, WireWriter } from "#protocol/codec.ts";
import { i32, refined, restText, struct, text, u8, u32 } from "#protocol/codecs.ts";
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

/** `ip:port` up to the end of the body; `invalid` without port. */
export const endpointText: Codec<Endpoint> = refined(restText(1, maxEndpointLength), {
  what: "an address with port",
  parse: (raw) => parseEndpoint(raw),
  format: formatEndpoint,
});

/** `ip:port` in a fixed field of 52 bytes. */
export const endpointField: Codec<Endpoint> = refined(text(maxEndpointLength), {
  what: "an address with port",
  parse: (raw) => parseEndpoint(raw),
  format: formatEndpoint,
});

/** `status` as storages and trackers tell it about known storages. */
export const status: Codec<StorageStatus> = refined(u8, {
  what: "a storage status",
  parse: (raw) => (isStorageStatus(raw) ? raw : undefined),
  format: (value) => value,
});

/** Where trunk files are concerned: a slot and its place (TrunkInfo, 15 bytes, protocol §2.8). */
export const trunkLocation: Codec<TrunkLocation> = struct({
  storePathIndex: u8,
  high: u8,
  low: u8,
  fileId: u32,
  offset: u32,
  size: u32,
});

/** One storage as trackers and storages tell each other about it (Brief, 67 bytes, protocol §1.2). */
export interface StorageBrief {
  readonly status: StorageStatus;
  /** 0 where it is not known. */
  readonly port: number;
  readonly id: StorageId;
  readonly address: string;
}

export const storageBrief: Codec<StorageBrief> = struct({
  status,
  port: i32,
  id: storageId,
  address: peerAddress,
});

/** Connections of a server since its start, and now (three i32). */
export interface ConnectionCounts {
  readonly allocated: number;
  readonly current: number;
  readonly max: number;
}

export const connectionCounts: Codec<ConnectionCounts> = struct({
  allocated: i32,
  current: i32,
  max: i32,
});

const versionText = text(8);

/** A release text such as `6.16.1`; a text of 8 bytes has no NUL. */
export const version: Codec<string> = {
  encode: versionText.encode,
  // It is passed on to whoever lists storages, and must still fit there.
  decode: (reader, context) => versionText.decode(reader, context).replace(/[^\x20-\x7e]/g, "?"),
};

/** `list` up to the end of the body, in lines that each end with a line feed. */
export function lines<T>(conversion: {
  readonly parse: (line: string) => T | undefined;
  readonly format: (value: T) => string;
}): Codec<readonly T[]> {
  const { parse, format } = conversion;
  return {
    encode(values, writer) {
      for (const value of values) writer.text(`${format(value)}\n`);
    },
    decode(reader) {
      const whole = reader.text(reader.remaining);
      if (whole === "") return [];
      if (!whole.endsWith("\n")) throw new ProtocolError("invalid", "the last line has no end");
      return whole
        .slice(0, -1)
        .split("\n")
        .map((line) => {
          const value = parse(line);
          if (value !== undefined) return value;
          throw new ProtocolError("invalid", `line "${line.slice(0, 100)}" is not understood`);
        });
    },
  };
}
