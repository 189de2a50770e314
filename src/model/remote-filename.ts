/**
 * The logical name of a file, which is its place as well: `Mxx/HH/HH/base` (protocol §2.6, §3.1). A parsed name can be joined
 * to a store path without leaving it: its base has no slash, no blank or control character, and is not `.` or `..`. On the path
 * of every request, hence without regular expressions.
 */

export interface RemoteFilename {
  /** 0 … 255; whether the storage has that path is another question. */
  readonly storePathIndex: number;
  /** The two directory levels, 0 … 255 each. */
  readonly high: number;
  readonly low: number;
  readonly base: string;
}

/** Of a logical name in requests and binlogs, in bytes. */
export const maxRemoteFilenameLength = 127;
const minRemoteFilenameLength = 11;
/** `Mxx/HH/HH/` */
const directoriesLength = 10;
/** `HH/HH/`, as names of releases before 1.12 begin. */
const oldDirectoriesLength = 6;

const slash = 0x2f;
const dot = 0x2e;

/** The parts of a logical name, or undefined when it is none. Names without `Mxx/` lie in store path 0. */
export function parseRemoteFilename(text: string): RemoteFilename | undefined {
  const length = text.length;
  if (length < minRemoteFilenameLength || length > maxRemoteFilenameLength) return undefined;
  const prefixed = text.charCodeAt(0) === 0x4d;
  const storePathIndex = prefixed ? hexByte(text, 1, true) : 0;
  if (storePathIndex < 0 || (prefixed && text.charCodeAt(3) !== slash)) return undefined;
  const at = prefixed ? directoriesLength - oldDirectoriesLength : 0;
  const high = hexByte(text, at, false);
  const low = hexByte(text, at + 3, false);
  if (high < 0 || low < 0) return undefined;
  if (text.charCodeAt(at + 2) !== slash || text.charCodeAt(at + 5) !== slash) return undefined;
  const start = at + oldDirectoriesLength;
  if (!isBase(text, start)) return undefined;
  return { storePathIndex, high, low, base: text.slice(start) };
}

/** `Mxx/HH/HH/base`; the inverse of `parseRemoteFilename` except for names of releases before 1.12, which get their `M00/`. */
export function formatRemoteFilename(name: RemoteFilename): string {
  return `M${hex(name.storePathIndex)}/${hex(name.high)}/${hex(name.low)}/${name.base}`;
}

/** Two upper-case hexadecimal digits, as directories are named. */
export function directoryName(index: number): string {
  return hex(index);
}

function isBase(text: string, start: number): boolean {
  const length = text.length - start;
  if (length < 1) return false;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === slash) return false;
  }
  if (text.charCodeAt(start) !== dot) return true;
  return length > 2 || (length === 2 && text.charCodeAt(start + 1) !== dot);
}

/** The byte that two hexadecimal digits write, or −1. Directories are upper-case on disk, the path's index is only a number. */
function hexByte(text: string, at: number, anyCase: boolean): number {
  const high = hexDigit(text.charCodeAt(at), anyCase);
  const low = hexDigit(text.charCodeAt(at + 1), anyCase);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number, anyCase: boolean): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (anyCase && code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

function hex(value: number): string {
  const digits = value.toString(16).toUpperCase();
  return value < 16 ? `0${digits}` : digits;
}
