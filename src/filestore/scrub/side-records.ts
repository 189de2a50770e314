/**
 * `.cairn/side/HH`: size, times and CRC-32 of the files in the directories `HH/*` whose names do not tell their content (appender and slave
 * files, metadata), as a scrub has last read them. A file that has the same size and times and another CRC-32 has rotted; one that was
 * changed gets a new record. The times include the one that nobody can set, and the inode: a storage may put another content of the same
 * size and time in a file's place. Text, a line a file, with a checksum at the end: what is torn or damaged counts as not there. One upper
 * directory is in memory at a time. Thread of its path.
 */
import { crc32 } from "node:zlib";
import { maxSideBytes, sideLinesPerStep } from "#filestore/scrub/limits.ts";
import { directoryName } from "#model/remote-filename.ts";
import type { DiskFileFacts } from "#platform/disk-reads.ts";
import type { Files } from "#platform/files.ts";

export interface SideRecord extends Omit<DiskFileFacts, "kind"> {
  readonly crc32: number;
}

const linePattern =
  /^([0-9A-F]{2}\/[^ /]{1,255}) (\d{1,16}) (\d{1,20}) (\d{1,20}) (\d{1,20}) (\d{1,10})$/;

/** `key` is `LL/base`. */
export function formatSideLine(key: string, record: SideRecord): string {
  const { sizeBytes, modifiedNs, changedNs, inode } = record;
  return `${key} ${sizeBytes} ${modifiedNs} ${changedNs} ${inode} ${record.crc32}`;
}

/** Undefined where the line is none. */
export function parseSideLine(
  line: string,
): { readonly key: string; readonly record: SideRecord } | undefined {
  const match = linePattern.exec(line);
  const [, key = "", size = "", modified = "", changed = "", inode = "", crc = ""] = match ?? [];
  if (match === null || Number(crc) > 0xffffffff) return undefined;
  const record = {
    sizeBytes: Number(size),
    modifiedNs: BigInt(modified),
    changedNs: BigInt(changed),
    inode: Number(inode),
    crc32: Number(crc),
  };
  return { key, record };
}

export type SideVerdict = "same" | "rotten" | "new";

/** What a record says of a file that was read. */
export function compareSide(before: SideRecord | undefined, now: SideRecord): SideVerdict {
  if (before === undefined) return "new";
  if (before.sizeBytes !== now.sizeBytes || before.modifiedNs !== now.modifiedNs) return "new";
  if (before.crc32 === now.crc32) return "same";
  // Somebody touched it: then it may have been given another content of the same time.
  const isUntouched = before.changedNs === now.changedNs && before.inode === now.inode;
  return isUntouched ? "rotten" : "new";
}

export class SideRecords {
  readonly #files: Files;
  readonly #directory: string;
  readonly #keeps: boolean;
  #upper: number | undefined;
  #records = new Map<string, SideRecord>();
  /** Of the lower directory that is being looked through: what is not met there is dropped. */
  #met = new Set<string>();
  #isChanged = false;

  /** `own`: the path's `.cairn`. Without `keeps` nothing is ever saved. */
  constructor(files: Files, own: string, keeps = true) {
    this.#files = files;
    this.#keeps = keeps;
    this.#directory = `${own}/side`;
  }

  /** Goes to the records of an upper directory, in steps; what was changed of another one is saved. Throws `FileError`. */
  *enter(upper: number): Generator<undefined, void> {
    if (this.#upper === upper) return;
    this.save();
    this.#records = new Map();
    this.#upper = upper;
    const text = this.#read(this.#path(upper));
    yield undefined;
    if (text === undefined) return;
    const lines = checkedLines(text);
    for (const [at, line] of lines.entries()) {
      const parsed = parseSideLine(line);
      if (parsed !== undefined) this.#records.set(parsed.key, parsed.record);
      if (at % sideLinesPerStep === sideLinesPerStep - 1) yield undefined;
    }
  }

  beginDirectory(): void {
    this.#met = new Set();
  }

  get(key: string): SideRecord | undefined {
    return this.#records.get(key);
  }

  /** It is there, whatever becomes of it: its record stays. */
  meet(key: string): void {
    this.#met.add(key);
  }

  put(key: string, record: SideRecord): void {
    this.#records.set(key, record);
    this.#isChanged = true;
  }

  /** All files of this lower directory were met. */
  endDirectory(lower: number): void {
    const prefix = `${directoryName(lower)}/`;
    for (const key of this.#records.keys()) {
      if (!key.startsWith(prefix) || this.#met.has(key)) continue;
      this.#records.delete(key);
      this.#isChanged = true;
    }
  }

  /** Throws `FileError`. */
  save(): void {
    const upper = this.#upper;
    if (upper === undefined || !this.#isChanged || !this.#keeps) return;
    if (this.#files.stat(this.#directory, false) === undefined) {
      this.#files.makeDirectory(this.#directory);
    }
    const lines = [...this.#records].map(([key, record]) => `${formatSideLine(key, record)}\n`);
    const text = Buffer.from(lines.join(""), "latin1");
    const path = this.#path(upper);
    const descriptor = this.#files.open(`${path}.new`, "write");
    try {
      this.#files.write(descriptor, text);
      this.#files.write(descriptor, Buffer.from(endLine(text)));
      this.#files.flush(descriptor);
    } finally {
      this.#files.close(descriptor);
    }
    this.#files.rename(`${path}.new`, path);
    this.#isChanged = false;
  }

  #path(upper: number): string {
    return `${this.#directory}/${directoryName(upper)}`;
  }

  #read(path: string): Buffer | undefined {
    const stat = this.#files.stat(path, false);
    if (stat?.kind !== "file" || stat.sizeBytes > maxSideBytes) return undefined;
    const descriptor = this.#files.open(path, "read");
    try {
      const bytes = Buffer.allocUnsafe(stat.sizeBytes);
      return bytes.subarray(0, this.#files.read(descriptor, bytes, 0));
    } finally {
      this.#files.close(descriptor);
    }
  }
}

function endLine(text: Uint8Array): string {
  return `crc32 ${crc32(text)}\n`;
}

/** None where the checksum does not fit. */
export function checkedLines(bytes: Buffer): readonly string[] {
  const at = bytes.lastIndexOf("crc32 ");
  if (at < 0) return [];
  const text = bytes.subarray(0, at);
  if (bytes.toString("latin1", at) !== endLine(text)) return [];
  return text.toString("latin1").split("\n").slice(0, -1);
}
