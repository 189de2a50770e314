/**
 * What a tracker's parameters say about trunk files (protocol §4.1, §11.3). Missing, unreadable and contradictory values are C's
 * defaults. Pure.
 */
import { parseByteSize } from "#base/byte-size.ts";
import { maxTrunkFileBytes } from "#filestore/packing.ts";
import type { SlotRules } from "#filestore/trunk/group-allocator.ts";
import type { Parameter } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerParameter } from "#protocol/peer/trunk-lease.ts";

export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** When the trunk server compresses its binlog; an interval of 0 is never. */
export interface CompressionTimes {
  readonly intervalSeconds: number;
  /** The least time between two of them. */
  readonly minIntervalSeconds: number;
  /** The first one of a day, by the node's clock. */
  readonly timeBase: TimeOfDay;
}

/** When the trunk server makes trunk files in advance. */
export interface AdvanceTimes {
  readonly enabled: boolean;
  readonly timeBase: TimeOfDay;
  readonly intervalSeconds: number;
  /** So much is to be free in trunk files. */
  readonly thresholdBytes: number;
}

export interface TrunkParameters {
  /** The cluster wants small files in trunk files, divided by a trunk server. */
  readonly enabled: boolean;
  readonly rules: SlotRules;
  readonly mergesFreeSpace: boolean;
  /** Trunk files in which nothing stands are deleted, and not used again. */
  readonly deletesUnused: boolean;
  /** Free space comes from the whole trunk binlog, whatever a snapshot says. */
  readonly reloadsFromBinlog: boolean;
  /** Slots that the binlog calls free and that hold a file are not given out. */
  readonly checksOccupying: boolean;
  readonly advance: AdvanceTimes;
  readonly compression: CompressionTimes;
  readonly maxBackups: number;
  /** The tracker is one of ours, and leases numbers of trunk files. */
  readonly leases: boolean;
}

const mebibyte = 1024 * 1024;
const minTrunkFileBytes = 4 * mebibyte;
const maxSlotMinBytes = 64 * 1024;
const maxCount = 1_000_000_000;

export const defaultTrunkParameters: TrunkParameters = {
  enabled: false,
  rules: {
    slotMinBytes: 256,
    slotMaxBytes: 8 * mebibyte,
    alignmentBytes: 0,
    trunkFileBytes: 64 * mebibyte,
  },
  mergesFreeSpace: false,
  deletesUnused: false,
  reloadsFromBinlog: false,
  checksOccupying: false,
  advance: {
    enabled: false,
    timeBase: { hour: 2, minute: 0 },
    intervalSeconds: 86_400,
    thresholdBytes: 0,
  },
  compression: {
    intervalSeconds: 0,
    minIntervalSeconds: 0,
    timeBase: { hour: 3, minute: 0 },
  },
  maxBackups: 0,
  leases: false,
};

export function readTrunkParameters(lines: readonly Parameter[]): TrunkParameters {
  const values = new Map(lines.map(([name, value]) => [name.trim(), value.trim()]));
  const flag = (name: string): boolean => isTrue(values.get(name));
  const count = (name: string): number =>
    Math.min(parseByteSize(values.get(name) ?? "") ?? 0, maxCount);
  return {
    enabled: flag("use_trunk_file"),
    rules: readRules((name) => parseByteSize(values.get(name) ?? "")),
    mergesFreeSpace: flag("trunk_free_space_merge"),
    deletesUnused: flag("delete_unused_trunk_files"),
    reloadsFromBinlog: flag("trunk_init_reload_from_binlog"),
    checksOccupying: flag("trunk_init_check_occupying"),
    advance: {
      enabled: flag("trunk_create_file_advance"),
      timeBase: readTime(values.get("trunk_create_file_time_base"), defaultTrunkParameters.advance),
      intervalSeconds: values.has("trunk_create_file_interval")
        ? count("trunk_create_file_interval")
        : defaultTrunkParameters.advance.intervalSeconds,
      thresholdBytes: parseByteSize(values.get("trunk_create_file_space_threshold") ?? "") ?? 0,
    },
    compression: {
      intervalSeconds: count("trunk_compress_binlog_interval"),
      minIntervalSeconds: count("trunk_compress_binlog_min_interval"),
      timeBase: readTime(
        values.get("trunk_compress_binlog_time_base"),
        defaultTrunkParameters.compression,
      ),
    },
    maxBackups: count("trunk_binlog_max_backups"),
    leases: values.has(trackerParameter),
  };
}

function readRules(bytes: (name: string) => number | undefined): SlotRules {
  const { rules } = defaultTrunkParameters;
  const within = (name: string, low: number, high: number): number | undefined => {
    const value = bytes(name);
    return value !== undefined && value >= low && value <= high ? value : undefined;
  };
  const trunkFileBytes =
    within("trunk_file_size", minTrunkFileBytes, maxTrunkFileBytes) ?? rules.trunkFileBytes;
  const slotMinBytes = within("slot_min_size", 1, maxSlotMinBytes) ?? rules.slotMinBytes;
  return {
    trunkFileBytes,
    slotMinBytes,
    slotMaxBytes:
      within("slot_max_size", slotMinBytes, trunkFileBytes / 2) ?? Math.floor(trunkFileBytes / 8),
    alignmentBytes:
      within("trunk_alloc_alignment_size", 0, maxSlotMinBytes) ?? rules.alignmentBytes,
  };
}

function readTime(
  text: string | undefined,
  otherwise: { readonly timeBase: TimeOfDay },
): TimeOfDay {
  const match = /^(\d{1,2}):(\d{1,2})$/.exec(text ?? "");
  const hour = Number(match?.[1] ?? Number.NaN);
  const minute = Number(match?.[2] ?? Number.NaN);
  if (hour < 24 && minute < 60) return { hour, minute };
  return otherwise.timeBase;
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && ["1", "true", "yes", "on"].includes(value.toLowerCase());
}
