/**
 * The records that monitors of a cluster read: a group and a storage as the tracker sees them (protocol §2.3). Their layout
 * changed often, and every release's records are told apart by their size; we write the context's release.
 */
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import { isReadWriteMode, type ReadWriteMode, readWriteMode } from "#model/storage-status.ts";
import { type Codec, releaseNumber, type ValueOf, type WireContext } from "#protocol/codec.ts";
import { flag, i64, refined, since, struct, text, u8, until } from "#protocol/codecs.ts";
import { storageStatistics } from "#protocol/fastdfs/statistics.ts";
import { groupName, optionalStorageId, status, storageId } from "#protocol/fields.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

const withoutHttp = releaseNumber(6, 13, 0);
const withReservedSpace = releaseNumber(6, 13, 1);

/** One group. Sizes in MB of 2^20 bytes. */
export interface GroupStat {
  readonly group: GroupName;
  readonly totalMb: number;
  readonly freeMb: number;
  readonly reservedMb: number;
  readonly trunkFreeMb: number;
  readonly storageCount: number;
  /** −1 where the storages of the group differ. */
  readonly storagePort: number;
  readonly readableCount: number;
  readonly writableCount: number;
  readonly currentWriteServer: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
  /** −1 while trunk files are off. */
  readonly currentTrunkFileId: number;
}

const groupRecord = struct({
  group: groupName(17),
  totalMb: i64,
  freeMb: i64,
  reservedMb: since(withReservedSpace, i64, 0),
  trunkFreeMb: i64,
  storageCount: i64,
  storagePort: i64,
  httpPort: until(withoutHttp, i64, 0),
  readableCount: since(withoutHttp, i64, 0),
  // Before 6.13 there was one number of active storages, in this place.
  writableCount: i64,
  currentWriteServer: i64,
  storePathCount: i64,
  subdirCount: i64,
  currentTrunkFileId: i64,
});

export const groupStat: Codec<GroupStat> = {
  encode: (value, writer, context) =>
    groupRecord.encode({ ...value, httpPort: 0 }, writer, context),
  decode(reader, context) {
    const { httpPort: _unused, ...record } = groupRecord.decode(reader, context);
    const old = context.release !== undefined && context.release < withoutHttp;
    return old ? { ...record, readableCount: record.writableCount } : record;
  },
};

/** 2 for the permission to write, 4 for the one to read. */
export const readWriteModeByte: Codec<ReadWriteMode> = refined(u8, {
  what: "a read and write mode",
  parse: (raw) => (isReadWriteMode(raw) ? raw : undefined),
  format: (value) => value,
});

/** An address as wide as the context says: since 6.11 this record has it, before it was 16. */
const recordAddress: Codec<string> = {
  encode: (value, writer, context) => text(context.addressWidth).encode(value, writer, context),
  decode: (reader, context) => reader.paddedText(context.addressWidth),
};

const storageRecord = struct({
  status,
  mode: since(withoutHttp, readWriteModeByte, readWriteMode.both),
  id: storageId,
  address: recordAddress,
  httpDomain: until(withoutHttp, text(128), ""),
  syncSource: optionalStorageId,
  version: since(releaseNumber(6, 12, 0), text(8), ""),
  oldVersion: until(releaseNumber(6, 12, 0), text(6), ""),
  joinTime: i64,
  upTime: i64,
  totalMb: i64,
  freeMb: i64,
  reservedMb: since(withReservedSpace, i64, 0),
  uploadPriority: i64,
  storePathCount: i64,
  subdirCount: i64,
  currentWritePath: i64,
  storagePort: i64,
  httpPort: until(withoutHttp, i64, 0),
  statistics: storageStatistics,
  isTrunkServer: flag,
});

/** One storage. Times in Unix seconds, sizes in MB of 2^20 bytes. */
export type StorageStat = Omit<
  ValueOf<typeof storageRecord>,
  "httpDomain" | "oldVersion" | "httpPort"
> & { readonly id: StorageId };

export const storageStat: Codec<StorageStat> = {
  encode(value, writer, context) {
    const old = { httpDomain: "", oldVersion: value.version.slice(0, 6), httpPort: 0 };
    storageRecord.encode({ ...value, ...old }, writer, context);
  },
  decode(reader, context) {
    const record = storageRecord.decode(reader, context);
    const { httpDomain: _domain, httpPort: _port, oldVersion, ...value } = record;
    return oldVersion === "" ? value : { ...value, version: oldVersion };
  },
};

interface RecordLayout {
  readonly size: number;
  readonly context: WireContext;
}

/**
 * In order of preference. That a reply fits two sizes takes more storages than a group can have; 6.13.0 wrote group records of
 * the old size with other contents, which only a caller who names that release gets.
 */
const groupLayouts: readonly RecordLayout[] = [
  { size: 113, context: { addressWidth: 16 } },
  { size: 105, context: { addressWidth: 16, release: releaseNumber(6, 12, 0) } },
  { size: 105, context: { addressWidth: 16, release: releaseNumber(6, 13, 0) } },
];

const storageLayouts: readonly RecordLayout[] = [
  { size: 487, context: { addressWidth: 16 } },
  { size: 517, context: { addressWidth: 46 } },
  { size: 509, context: { addressWidth: 46, release: releaseNumber(6, 13, 0) } },
  { size: 644, context: { addressWidth: 46, release: releaseNumber(6, 12, 0) } },
  { size: 642, context: { addressWidth: 46, release: releaseNumber(6, 11, 0) } },
  { size: 612, context: { addressWidth: 16, release: releaseNumber(6, 10, 0) } },
  { size: 600, context: { addressWidth: 16, release: releaseNumber(5, 3, 0) } },
];

export const groupStats: Codec<readonly GroupStat[]> = records(groupStat, groupLayouts);
export const storageStats: Codec<readonly StorageStat[]> = records(storageStat, storageLayouts);

/** Records of one size up to the end of the body; decoding finds out which release wrote them. */
function records<T>(item: Codec<T>, layouts: readonly RecordLayout[]): Codec<readonly T[]> {
  return {
    encode(values, writer, context) {
      for (const value of values) item.encode(value, writer, context);
    },
    decode(reader, context) {
      const length = reader.remaining;
      const fitting = layouts.filter(({ size }) => length % size === 0);
      const layout =
        fitting.find((candidate) => candidate.context.release === context.release) ?? fitting[0];
      if (layout === undefined) {
        throw new ProtocolError("invalid", `${length} bytes are no whole number of records`);
      }
      const values: T[] = [];
      for (let rest = length; rest > 0; rest -= layout.size) {
        values.push(item.decode(reader, layout.context));
      }
      return values;
    },
  };
}
