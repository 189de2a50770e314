/**
 * What storages, gateways and clients ask a tracker before they are, or without being, member of a group: parameters,
 * identities, the table of storage ids (protocol §2.4).
 */

import { isStorageId, type StorageId } from "#model/storage-id.ts";
import {
  formatStorageIdLine,
  parseStorageIdLine,
  type StorageIdEntry,
} from "#model/storage-id-line.ts";
import type { Codec } from "#protocol/codec.ts";
import {
  constantLength,
  flag,
  i32,
  optionalTail,
  refined,
  restText,
  struct,
} from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  endpointText,
  groupName,
  groupText,
  groupWidth,
  lines,
  readGroupName,
  storageBrief,
} from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** `[name, value]`, in the order in which they travel. */
export type Parameter = readonly [string, string];

/** The settings that a tracker shares with its storages, as `key=value` lines; the reply is kept below 1024 bytes (§2.4/75). */
export const requestParameters = message({
  name: "requestParameters",
  command: commands.requestParameters,
  request: nothing,
  reply: struct({
    parameters: lines<Parameter>({
      parse(line) {
        const at = line.indexOf("=");
        return at < 1 ? undefined : [line.slice(0, at), line.slice(at + 1)];
      },
      format: ([name, value]) => `${name}=${value}`,
    }),
  }),
});

/** One storage as the tracker knows it, by group, address and port. */
export const getStorageStatus = message({
  name: "getStorageStatus",
  command: commands.getStorageStatus,
  request: struct({ group: groupText, server: endpointText }),
  reply: storageBrief,
});

const idText: Codec<StorageId> = refined(restText(1), {
  what: "a storage id",
  parse: (raw) => (isStorageId(raw) ? raw : undefined),
  format: (value) => value,
});

/** The id of the storage with this group, address and port. */
export const getStorageId = message({
  name: "getStorageId",
  command: commands.getStorageId,
  request: struct({ group: groupText, server: endpointText }),
  reply: struct({ id: idText }),
});

export interface OwnAddressRequest {
  readonly group: string;
  /** Absent before 6.16. */
  readonly port: number | undefined;
}

const wideGroup = struct({ group: groupName(17), port: i32 });

const ownAddressRequest: Codec<OwnAddressRequest> = {
  encode(value, writer) {
    const width = value.port === undefined ? groupWidth : groupWidth + 1;
    writer.paddedText(value.group, width);
    if (value.port !== undefined) writer.i32(value.port);
  },
  decode(reader, context) {
    if (reader.remaining === groupWidth) return { group: readGroupName(reader), port: undefined };
    return wideGroup.decode(reader, context);
  },
};

const addressList: Codec<readonly string[]> = refined(restText(1), {
  what: "a list of addresses",
  parse: (raw) => raw.split(","),
  format: (addresses) => addresses.join(","),
});

/** Under which address or addresses does the tracker see, or know, the asking storage? */
export const getMyIp = message({
  name: "getMyIp",
  command: commands.getMyIp,
  request: ownAddressRequest,
  reply: struct({ addresses: addressList }),
});

export interface StorageIdsPage {
  /** Of the whole table. */
  readonly totalCount: number;
  readonly entries: readonly StorageIdEntry[];
}

const idLines = lines<StorageIdEntry>({
  parse(line) {
    const entry = parseStorageIdLine(line);
    return typeof entry === "string" ? undefined : entry;
  },
  format: formatStorageIdLine,
});

const storageIdsPage: Codec<StorageIdsPage> = {
  encode(value, writer, context) {
    writer.i32(value.totalCount);
    writer.i32(value.entries.length);
    idLines.encode(value.entries, writer, context);
  },
  decode(reader, context) {
    const totalCount = reader.i32();
    const count = reader.i32();
    const entries = idLines.decode(reader, context);
    if (entries.length === count && totalCount >= count) return { totalCount, entries };
    throw new ProtocolError("invalid", `${entries.length} lines, ${count} announced`);
  },
};

/** A part of the table of storage ids, from an index on; `allowEmpty` is absent before 6.11. */
export const fetchStorageIds = message({
  name: "fetchStorageIds",
  command: commands.fetchStorageIds,
  request: struct({ startIndex: i32, allowEmpty: optionalTail(flag) }),
  reply: storageIdsPage,
});

export interface GroupOfRequest {
  /** The asking peer's own where absent. */
  readonly address: string | undefined;
  readonly port: number;
}

const groupOfRequest: Codec<GroupOfRequest> = {
  encode(value, writer) {
    writer.text(value.address ?? "");
    writer.i32(value.port);
  },
  decode(reader) {
    const width = reader.remaining - 4;
    const address = width > 0 ? reader.paddedText(width) : undefined;
    return { address, port: reader.i32() };
  },
};

/** The group of the storage with this address and port. */
export const getGroupName = message({
  name: "getGroupName",
  command: commands.getGroupName,
  request: groupOfRequest,
  reply: constantLength(groupWidth, struct({ group: groupName(16) })),
});

export const trackerLookups = {
  requestParameters,
  getStorageStatus,
  getStorageId,
  getMyIp,
  fetchStorageIds,
  getGroupName,
} as const;
