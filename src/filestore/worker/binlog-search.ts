/**
 * What the binlog of a store path says of many names at once, and by which names slots of trunk files are known: one pass over all of
 * it, a piece a step. The last record of a name counts. Worker thread.
 */
import { BinlogReader, type BinlogReaderParts } from "#filestore/binlog/binlog-reader.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import { parseSlotKey, slotKey } from "#filestore/inventory/inventory-entry.ts";
import { decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

/** Names and slots of one search: what is known of each is kept in memory meanwhile. */
export const maxSearched = 1024;
/** `Mxx/HH/HH/` */
const directoriesLength = 10;

/**
 * Of a name: when it was deleted at its source (Unix seconds), `there` where its last record made it, `unknown` where there is none, or
 * one that says no more than that a crash took it here. Of a slot: the name of what was last stored in it, `unknown` where nothing was.
 */
export type SearchAnswer =
  | { readonly kind: "deleted"; readonly timestamp: number }
  | { readonly kind: "there" }
  | { readonly kind: "unknown" }
  | { readonly kind: "name"; readonly name: string };

const unknown: SearchAnswer = { kind: "unknown" };
const there: SearchAnswer = { kind: "there" };

/** One answer for each wanted name or slot key, in their order. Throws `FileError`. */
export function* searchBinlog(
  parts: BinlogReaderParts,
  wanted: readonly string[],
): Generator<undefined, readonly SearchAnswer[]> {
  const found = new Map<string, SearchAnswer>(wanted.map((key) => [key, unknown]));
  const slots = wanted.some((key) => parseSlotKey(key) !== undefined);
  const reader = new BinlogReader(parts, binlogStart);
  try {
    for (;;) {
      const { records, invalid } = yield* reader.readSteps();
      if (records.length === 0 && invalid.length === 0) break;
      for (const { entry } of records) note(found, entry, slots);
      yield undefined;
    }
  } finally {
    reader.close();
  }
  return wanted.map((key) => found.get(key) ?? unknown);
}

function note(found: Map<string, SearchAnswer>, entry: BinlogEntry, slots: boolean): void {
  if (found.has(entry.name)) {
    const before = found.get(entry.name) ?? unknown;
    found.set(entry.name, afterRecord(entry, before));
  }
  if (entry.kind === "rename" && found.has(entry.oldName)) {
    found.set(entry.oldName, { kind: "deleted", timestamp: entry.timestamp });
  }
  if (slots && entry.name.length === directoriesLength + trunkBaseLength) noteSlot(found, entry);
}

function afterRecord(entry: BinlogEntry, before: SearchAnswer): SearchAnswer {
  if (entry.kind !== "delete") return there;
  if (entry.timestamp > 0) return { kind: "deleted", timestamp: entry.timestamp };
  // Not here, and that is all: what was known of a deletion before stands.
  return before.kind === "deleted" ? before : unknown;
}

function noteSlot(found: Map<string, SearchAnswer>, entry: BinlogEntry): void {
  const base = parseRemoteFilename(entry.name)?.base;
  const slot = base === undefined ? undefined : decodeBase(base)?.trunk;
  if (slot === undefined) return;
  const key = slotKey(slot.fileId, slot.offset);
  if (found.has(key) && entry.kind !== "delete") found.set(key, { kind: "name", name: entry.name });
}

/** A line an answer: `D` and the time, `C`, `-`, or `N` and the name. */
export function formatAnswer(answer: SearchAnswer): string {
  switch (answer.kind) {
    case "deleted":
      return `D${answer.timestamp}`;
    case "there":
      return "C";
    case "unknown":
      return "-";
    case "name":
      return `N${answer.name}`;
  }
}

/** What is none counts as not known. */
export function parseAnswer(line: string): SearchAnswer {
  if (line === "C") return there;
  const rest = line.slice(1);
  if (line.startsWith("D") && /^\d{1,10}$/.test(rest)) {
    return { kind: "deleted", timestamp: Number(rest) };
  }
  return line.startsWith("N") && rest.length > 0 ? { kind: "name", name: rest } : unknown;
}
