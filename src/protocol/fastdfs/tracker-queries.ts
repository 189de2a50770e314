/**
 * What clients ask a tracker: where to store, where to read, where to modify (protocol §2.2). Replies come with address fields
 * of two widths; encoders take the context's, decoders tell them apart by the length of the reply (§1.5). These messages are
 * part of every upload and download, hence written out by hand.
 */
import type { Endpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";
import { type Codec, releaseNumber, type WireReader, type WireWriter } from "#protocol/codec.ts";
import { checkLength, constantLength, struct } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  groupText,
  groupWidth,
  port,
  readGroupName,
  widthByLength,
  writeAddress,
} from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** Where a storage listens. */
export type StorageServer = Endpoint;

export interface StoreTarget extends StorageServer {
  readonly group: GroupName;
  /** 0 … 255; goes back in UPLOAD_FILE. */
  readonly storePathIndex: number;
}

export interface StoreTargets {
  readonly group: GroupName;
  readonly servers: readonly StorageServer[];
  /** Chosen on the first of `servers`. */
  readonly storePathIndex: number;
}

/** Which file is wanted: `filename` is the logical name without the group. */
export interface FileQuery {
  readonly group: string;
  readonly filename: string;
}

export interface FetchTarget extends StorageServer {
  readonly group: GroupName;
}

export interface FetchTargets {
  readonly group: GroupName;
  readonly servers: readonly StorageServer[];
}

const portWidth = 8;
const fewestNameBytes = 22;
const mostNameBytes = 127;
/** The first release which tells the port of each server in QUERY_FETCH_ALL. */
const portsInFetchAll = releaseNumber(6, 16, 0);

const groupQuery = constantLength(groupWidth, struct({ group: groupText }));

const fileQuery: Codec<FileQuery> = {
  encode(value, writer, context) {
    groupText.encode(value.group, writer, context);
    checkLength(Buffer.byteLength(value.filename), fewestNameBytes, mostNameBytes);
    writer.text(value.filename);
  },
  decode(reader) {
    checkLength(reader.remaining - groupWidth, fewestNameBytes, mostNameBytes);
    const group = reader.paddedText(groupWidth);
    return { group, filename: reader.text(reader.remaining) };
  },
};

const storeTarget: Codec<StoreTarget> = {
  encode(value, writer, context) {
    writer.paddedText(value.group, groupWidth);
    writeAddress(writer, value.address, context.addressWidth - 1);
    writer.i64(value.port);
    writer.u8(value.storePathIndex);
  },
  decode(reader, context) {
    const width = widthByLength(reader.remaining, { narrow: 40, wide: 70 });
    const group = readGroupName(reader);
    const address = reader.paddedText(width - 1);
    return { group, address, port: port.decode(reader, context), storePathIndex: reader.u8() };
  },
};

const fetchTarget: Codec<FetchTarget> = {
  encode(value, writer, context) {
    writer.paddedText(value.group, groupWidth);
    writeAddress(writer, value.address, context.addressWidth - 1);
    writer.i64(value.port);
  },
  decode(reader, context) {
    const width = widthByLength(reader.remaining, { narrow: 39, wide: 69 });
    const group = readGroupName(reader);
    const address = reader.paddedText(width - 1);
    return { group, address, port: port.decode(reader, context) };
  },
};

const storeTargets: Codec<StoreTargets> = {
  encode(value, writer, context) {
    writer.paddedText(value.group, groupWidth);
    writeServers(writer, value.servers, context.addressWidth);
    writer.u8(value.storePathIndex);
  },
  decode(reader) {
    const group = readGroupName(reader);
    const servers = readServers(reader, reader.remaining - 1);
    return { group, servers, storePathIndex: reader.u8() };
  },
};

const fetchTargets: Codec<FetchTargets> = {
  encode(value, writer, context) {
    writer.paddedText(value.group, groupWidth);
    if (context.release === undefined || context.release >= portsInFetchAll) {
      writeServers(writer, value.servers, context.addressWidth);
      return;
    }
    for (const [at, server] of value.servers.entries()) {
      writeAddress(writer, server.address, context.addressWidth - 1);
      if (at === 0) writer.i64(server.port);
    }
  },
  decode(reader) {
    const group = readGroupName(reader);
    const length = reader.remaining;
    if (serverWidth(reader, length) === undefined)
      return { group, servers: readOldServers(reader) };
    return { group, servers: readServers(reader, length) };
  },
};

/** Any group: where may I store a file? */
export const queryStore = message({
  name: "queryStore",
  command: commands.queryStore,
  request: nothing,
  reply: storeTarget,
});

/** One group: where may I store a file? */
export const queryStoreInGroup = message({
  name: "queryStoreInGroup",
  command: commands.queryStoreInGroup,
  request: groupQuery,
  reply: storeTarget,
});

/** Any group: every storage of one that takes files. */
export const queryStoreAll = message({
  name: "queryStoreAll",
  command: commands.queryStoreAll,
  request: nothing,
  reply: storeTargets,
});

/** One group: every storage of it that takes files. */
export const queryStoreAllInGroup = message({
  name: "queryStoreAllInGroup",
  command: commands.queryStoreAllInGroup,
  request: groupQuery,
  reply: storeTargets,
});

/** Which storage may serve this file? */
export const queryFetch = message({
  name: "queryFetch",
  command: commands.queryFetch,
  request: fileQuery,
  reply: fetchTarget,
});

/** Which storage is to modify, delete or describe this file? Its source, if that one can. */
export const queryUpdate = message({
  name: "queryUpdate",
  command: commands.queryUpdate,
  request: fileQuery,
  reply: fetchTarget,
});

/** Every storage that may serve this file. */
export const queryFetchAll = message({
  name: "queryFetchAll",
  command: commands.queryFetchAll,
  request: fileQuery,
  reply: fetchTargets,
});

export const trackerQueries = {
  queryStore,
  queryStoreInGroup,
  queryStoreAll,
  queryStoreAllInGroup,
  queryFetch,
  queryUpdate,
  queryFetchAll,
} as const;

function writeServers(writer: WireWriter, servers: readonly StorageServer[], width: 16 | 46): void {
  for (const server of servers) {
    writeAddress(writer, server.address, width - 1);
    writer.i64(server.port);
  }
}

function readServers(reader: WireReader, length: number): readonly StorageServer[] {
  const width = serverWidth(reader, length);
  if (width === undefined) {
    throw new ProtocolError("invalid", `${length} bytes are no list of servers`);
  }
  const servers: StorageServer[] = [];
  for (let rest = length; rest > 0; rest -= width - 1 + portWidth) {
    const address = reader.paddedText(width - 1);
    servers.push({ address, port: reader.i64() });
  }
  for (const server of servers) checkPort(server.port);
  return servers;
}

/** The address width with which `length` bytes ahead form servers with ports; 23 wide ones are as long as 53 narrow ones. */
function serverWidth(reader: WireReader, length: number): 16 | 46 | undefined {
  if (length > reader.remaining || length < 15 + portWidth) return undefined;
  for (const width of [16, 46] as const) {
    const fits = length % (width - 1 + portWidth) === 0;
    if (fits && isPort(reader.peekI64(width - 1))) return width;
  }
  return undefined;
}

/** Before 6.16 only the first server came with its port, which the others share. */
function readOldServers(reader: WireReader): readonly StorageServer[] {
  const length = reader.remaining;
  for (const width of [16, 46] as const) {
    const more = length - (width - 1 + portWidth);
    if (more < 0 || more % (width - 1) !== 0 || !isPort(reader.peekI64(width - 1))) continue;
    const address = reader.paddedText(width - 1);
    const sharedPort = reader.i64();
    const servers: StorageServer[] = [{ address, port: sharedPort }];
    while (reader.remaining > 0) {
      servers.push({ address: reader.paddedText(width - 1), port: sharedPort });
    }
    return servers;
  }
  throw new ProtocolError("invalid", `${length} bytes are no list of servers`);
}

function checkPort(value: number): void {
  if (!isPort(value)) throw new ProtocolError("invalid", `${value} is not a port`);
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65535;
}
