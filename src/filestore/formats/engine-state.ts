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
}

export function formatEngineState(state: EngineState): string {
  return formatKeyValueLines([
    ["version", state.version],
    ["subdir_count", state.subdirCount],
    ["binlog_index", state.checkpoint.index],
    ["binlog_offset", state.checkpoint.offset],
    ["clean", state.clean ? 1 : 0],
  ]);
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
  return { version, subdirCount, checkpoint: { index, offset }, clean };
}
