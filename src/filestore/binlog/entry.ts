/**
 * One line of a binlog (protocol §6.1): `timestamp operation name [extra]`. An upper-case operation was performed here as the
 * source of the change, a lower-case one came from a peer. Pure. Texts hold one byte a character (latin1), as lines are read.
 */

interface EntryHead {
  /** Unix seconds, of the change at its source. */
  readonly timestamp: number;
  /** True for what a peer did first. */
  readonly replica: boolean;
  /** Logical name, without group; of metadata with `-m`. */
  readonly name: string;
}

export type BinlogEntry =
  | (EntryHead & { readonly kind: "create" | "update" | "delete" })
  | (EntryHead & {
      readonly kind: "append" | "modify";
      readonly offset: number;
      readonly length: number;
    })
  | (EntryHead & {
      readonly kind: "truncate";
      readonly oldSize: number;
      readonly newSize: number;
    })
  /** `target` is the file that the link means; old storages did not write it. */
  | (EntryHead & { readonly kind: "link"; readonly target: string | undefined })
  /** A regenerated appender: `name` is the new one. */
  | (EntryHead & { readonly kind: "rename"; readonly oldName: string });

export type BinlogEntryKind = BinlogEntry["kind"];

/** Of a line with its end, in bytes: a C reader's buffer. */
export const maxRecordBytes = 256;
/** C readers call shorter names invalid. */
const minNameLength = 11;

const letters: Readonly<Record<BinlogEntryKind, string>> = {
  create: "C",
  update: "U",
  delete: "D",
  append: "A",
  modify: "M",
  truncate: "T",
  link: "L",
  rename: "R",
};

const kinds: ReadonlyMap<string, BinlogEntryKind> = new Map(
  Object.entries(letters).map(([kind, letter]) => [letter, kind as BinlogEntryKind]),
);

/** The line of a change made here as its source, with its end; `extra` as the operation wants it. */
export function sourceLine(kind: BinlogEntryKind, timestamp: number, rest: string): string {
  return `${timestamp} ${letters[kind]} ${rest}\n`;
}

/** The line of a change that a peer made first, as `sourceLine`. */
export function replicaLine(kind: BinlogEntryKind, timestamp: number, rest: string): string {
  return `${timestamp} ${letters[kind].toLowerCase()} ${rest}\n`;
}

/** One of both. */
export function recordLine(
  kind: BinlogEntryKind,
  of: { readonly timestamp: number; readonly replica?: boolean | undefined },
  rest: string,
): string {
  return (of.replica === true ? replicaLine : sourceLine)(kind, of.timestamp, rest);
}

/** Of a link, with both names where a record has room for them. */
export function linkRecord(
  of: { readonly timestamp: number; readonly replica?: boolean | undefined },
  name: string,
  target: string,
): string {
  const line = recordLine("link", of, `${name} ${target}`);
  return line.length <= maxRecordBytes ? line : recordLine("create", of, name);
}

/**
 * Says that a new file of this name is not here, and never was as far as anybody was told: time 0, so that nobody takes it for a
 * deletion.
 */
export function neverHereLine(name: string): string {
  return replicaLine("delete", 0, name);
}

/** The line of `entry`, with its end. */
export function encodeEntry(entry: BinlogEntry): string {
  const letter = entry.replica ? letters[entry.kind].toLowerCase() : letters[entry.kind];
  const extra = extraOf(entry);
  const end = extra === "" ? "\n" : ` ${extra}\n`;
  return `${entry.timestamp} ${letter} ${entry.name}${end}`;
}

/** The entry that `line`, without its end, writes; undefined where it is none. */
export function decodeEntry(line: string): BinlogEntry | undefined {
  if (line.length >= maxRecordBytes) return undefined;
  const firstBlank = line.indexOf(" ");
  // One character of operation between two blanks.
  if (firstBlank < 1 || line.charCodeAt(firstBlank + 2) !== 0x20) return undefined;
  const timestamp = wholeNumber(line.slice(0, firstBlank));
  const letter = line.charAt(firstBlank + 1);
  const kind = kinds.get(letter.toUpperCase());
  const nameStart = firstBlank + 3;
  const nameEnd = line.indexOf(" ", nameStart);
  const name = nameEnd < 0 ? line.slice(nameStart) : line.slice(nameStart, nameEnd);
  if (timestamp === undefined || kind === undefined || !isName(name)) return undefined;
  const head: EntryHead = { timestamp, replica: letter !== letters[kind], name };
  return withExtra(kind, head, nameEnd < 0 ? "" : line.slice(nameEnd + 1));
}

function withExtra(kind: BinlogEntryKind, head: EntryHead, extra: string): BinlogEntry | undefined {
  switch (kind) {
    case "create":
    case "update":
    case "delete":
      return { ...head, kind };
    case "append":
    case "modify": {
      const pair = twoNumbers(extra);
      return pair && { ...head, kind, offset: pair[0], length: pair[1] };
    }
    case "truncate": {
      const pair = twoNumbers(extra);
      return pair && { ...head, kind, oldSize: pair[0], newSize: pair[1] };
    }
    case "link":
      if (extra === "") return { ...head, kind, target: undefined };
      return isName(extra) ? { ...head, kind, target: extra } : undefined;
    case "rename":
      return isName(extra) ? { ...head, kind, oldName: extra } : undefined;
  }
}

function extraOf(entry: BinlogEntry): string {
  switch (entry.kind) {
    case "append":
    case "modify":
      return `${entry.offset} ${entry.length}`;
    case "truncate":
      return `${entry.oldSize} ${entry.newSize}`;
    case "link":
      return entry.target ?? "";
    case "rename":
      return entry.oldName;
    default:
      return "";
  }
}

function isName(text: string): boolean {
  if (text.length < minNameLength) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f) return false;
  }
  return true;
}

function twoNumbers(text: string): readonly [number, number] | undefined {
  const [left = "", right = "", ...more] = text.split(" ");
  const first = wholeNumber(left);
  const second = wholeNumber(right);
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  return [first, second];
}

/** Decimal digits alone, exact. */
function wholeNumber(text: string): number | undefined {
  if (text.length === 0 || text.length > 16) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}
