/**
 * `.cairn/state`: what an engine notes on its store path for the next start. Everything in the binlog before `checkpoint` is on
 * the disk as it says; only what follows may be half done. Pure.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";

/** Of the layout below `.cairn` and of this file; a release refuses what a later one wrote. */
export const engineStateVersion = 1;

export interface EngineState {
  readonly version: number;
  readonly subdirCount: number;
  readonly checkpoint: BinlogPosition;
  /** False while the path is served: found false at a start, the last end was none. */
  readonly clean: boolean;
  /** Unix seconds: the limit of the times in names, see `name-times.ts`. Earlier releases noted none. */
  readonly nameLimit?: number;
  /** Of a run that does not flush: what was on stable storage in all probability. */
  readonly settled?: SettledMark;
}

/** Everything that was recorded before `position`, or changed before `since`, was left to the kernel long enough for it to write it. */
export interface SettledMark {
  readonly position: BinlogPosition;
  /** Unix seconds, by the system's clock. */
  readonly since: number;
  /** Through which the rest was written, see `Files.mounting`. Earlier releases noted none. */
  readonly mounting?: string;
}

export function formatEngineState(state: EngineState): string {
  return formatKeyValueLines([
    ["version", state.version],
    ["subdir_count", state.subdirCount],
    ["binlog_index", state.checkpoint.index],
    ["binlog_offset", state.checkpoint.offset],
    ["clean", state.clean ? 1 : 0],
    ...(state.nameLimit === undefined ? [] : [["name_limit", state.nameLimit] as const]),
    ...settledPairs(state.settled),
  ]);
}

function settledPairs(
  settled: SettledMark | undefined,
): readonly (readonly [string, string | number])[] {
  if (settled === undefined) return [];
  const { position, since, mounting } = settled;
  return [
    ["settled_index", position.index],
    ["settled_offset", position.offset],
    ["settled_since", since],
    ...(mounting === undefined ? [] : [["settled_mounting", mounting] as const]),
  ];
}

/** Undefined where a value is missing or is no number. Keys of later releases are passed over. */
export function parseEngineState(text: string): EngineState | undefined {
  const values = parseKeyValueLines(text);
  const version = parseCount(values.get("version"));
  const subdirCount = parseCount(values.get("subdir_count"));
  const index = parseCount(values.get("binlog_index"));
  const offset = parseCount(values.get("binlog_offset"));
  if (version === undefined || subdirCount === undefined) return undefined;
  if (index === undefined || offset === undefined) return undefined;
  const clean = values.get("clean") === "1";
  const nameLimit = parseCount(values.get("name_limit"));
  const state = { version, subdirCount, checkpoint: { index, offset }, clean };
  const settled = parseSettled(values);
  return {
    ...state,
    ...(nameLimit === undefined ? {} : { nameLimit }),
    ...(settled === undefined ? {} : { settled }),
  };
}

function parseSettled(values: ReadonlyMap<string, string>): SettledMark | undefined {
  const index = parseCount(values.get("settled_index"));
  const offset = parseCount(values.get("settled_offset"));
  const since = parseCount(values.get("settled_since"));
  if (index === undefined || offset === undefined || since === undefined) return undefined;
  const mounting = values.get("settled_mounting");
  return { position: { index, offset }, since, ...(mounting === undefined ? {} : { mounting }) };
}
