/**
 * The three overviews of a whole cluster that a tracker gives since 6.15.5 (protocol §2.3, commands 96 to 98). Their filters are
 * `undefined` where the asker does not care.
 */
import type { Codec } from "#protocol/codec.ts";
import { counted, flag, i32, i64, struct, u8 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  connectionCounts,
  endpointField,
  groupName,
  status,
  storageId,
  version,
} from "#protocol/fields.ts";
import { message } from "#protocol/message.ts";

/** How many records one reply may announce: far above what a cluster has, far below what a number can say. */
const maxRecords = 65536;

export interface TrackerFilter {
  readonly isActive: boolean | undefined;
  readonly isLeader: boolean | undefined;
}

export interface StorageFilter {
  /** Which status, or which one not; an operator other than these two matches nothing. */
  readonly status:
    | { readonly operator: "is" | "is-not" | "unknown"; readonly status: number }
    | undefined;
  readonly isTrunkServer: boolean | undefined;
}

export interface VolumeFilter {
  readonly diskAvailable: boolean | undefined;
  readonly trunkAvailable: boolean | undefined;
  readonly spaceAvailable: boolean | undefined;
}

const equalSign = 0x3d;
const exclamationMark = 0x21;

/** Bits that say which of the bytes behind them count, in this order: 1, 2, 4 … */
const filterBits = u8;

const trackerFilter: Codec<TrackerFilter> = {
  encode(value, writer) {
    writer.u8(bitsOf(value.isActive, value.isLeader));
    writer.u8(value.isActive === true ? 1 : 0);
    writer.u8(value.isLeader === true ? 1 : 0);
  },
  decode(reader, context) {
    const bits = filterBits.decode(reader, context);
    const isActive = flag.decode(reader, context);
    const isLeader = flag.decode(reader, context);
    return {
      isActive: (bits & 1) === 0 ? undefined : isActive,
      isLeader: (bits & 2) === 0 ? undefined : isLeader,
    };
  },
};

const storageFilter: Codec<StorageFilter> = {
  encode(value, writer) {
    const { isTrunkServer, status: wanted } = value;
    writer.u8(bitsOf(isTrunkServer, wanted));
    writer.u8(wanted === undefined ? 0 : operatorByte(wanted.operator));
    writer.u8(wanted?.status ?? 0);
    writer.u8(isTrunkServer === true ? 1 : 0);
  },
  decode(reader, context) {
    const bits = filterBits.decode(reader, context);
    const operator = operatorOf(reader.u8());
    const wanted = { operator, status: reader.u8() };
    const isTrunkServer = flag.decode(reader, context);
    return {
      status: (bits & 2) === 0 ? undefined : wanted,
      isTrunkServer: (bits & 1) === 0 ? undefined : isTrunkServer,
    };
  },
};

const volumeFilter: Codec<VolumeFilter> = {
  encode(value, writer) {
    writer.u8(bitsOf(value.diskAvailable, value.trunkAvailable, value.spaceAvailable));
    writer.u8(value.diskAvailable === true ? 1 : 0);
    writer.u8(value.trunkAvailable === true ? 1 : 0);
    writer.u8(value.spaceAvailable === true ? 1 : 0);
  },
  decode(reader, context) {
    const bits = filterBits.decode(reader, context);
    const disk = flag.decode(reader, context);
    const trunk = flag.decode(reader, context);
    const space = flag.decode(reader, context);
    return {
      diskAvailable: (bits & 1) === 0 ? undefined : disk,
      trunkAvailable: (bits & 2) === 0 ? undefined : trunk,
      spaceAvailable: (bits & 4) === 0 ? undefined : space,
    };
  },
};

/** Every tracker, as the leader sees it; only the leader answers. */
export const trackerClusterStat = message({
  name: "trackerClusterStat",
  command: commands.trackerClusterStat,
  request: trackerFilter,
  reply: struct({
    trackers: counted(
      u8,
      struct({
        endpoint: endpointField,
        isLeader: flag,
        isActive: flag,
        connections: connectionCounts,
        version,
        upTime: i64,
        lastHeartBeatTime: i64,
      }),
      255,
    ),
  }),
});

/** Every storage of all groups. */
export const storageClusterStat = message({
  name: "storageClusterStat",
  command: commands.storageClusterStat,
  request: storageFilter,
  reply: struct({
    useStorageId: flag,
    useTrunkFile: flag,
    storages: counted(
      i32,
      struct({
        id: storageId,
        endpoint: endpointField,
        isTrunkServer: flag,
        status,
        connections: connectionCounts,
        version,
        upTime: i64,
        lastHeartBeatTime: i64,
      }),
      maxRecords,
    ),
  }),
});

/** The space of every group, in MB of 2^20 bytes. */
export const storageVolumeStat = message({
  name: "storageVolumeStat",
  command: commands.storageVolumeStat,
  request: volumeFilter,
  reply: struct({
    useTrunkFile: flag,
    groups: counted(
      i32,
      struct({
        group: groupName(17),
        totalMb: i64,
        freeMb: i64,
        reservedMb: i64,
        availableMb: i64,
        trunkFreeMb: i64,
        diskAvailable: flag,
        trunkAvailable: flag,
      }),
      maxRecords,
    ),
  }),
});

function bitsOf(...filters: readonly unknown[]): number {
  let bits = 0;
  for (const [at, filter] of filters.entries()) if (filter !== undefined) bits |= 1 << at;
  return bits;
}

function operatorByte(operator: "is" | "is-not" | "unknown"): number {
  if (operator === "unknown") return 0;
  return operator === "is" ? equalSign : exclamationMark;
}

function operatorOf(byte: number): "is" | "is-not" | "unknown" {
  if (byte === equalSign) return "is";
  return byte === exclamationMark ? "is-not" : "unknown";
}
