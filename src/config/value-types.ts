/**
 * The types that a setting can have: how its value is read from TOML or from plain text, checked, and written again. A
 * value that `read` accepted is what `write` turns back into something that `read` accepts as the same value. Pure.
 */
import { parse } from "smol-toml";
import { present } from "#base/assert.ts";
import { formatByteSize, parseByteSize } from "#base/byte-size.ts";
import { formatDuration, parseDuration } from "#base/duration.ts";
import { canonicalAddress } from "#config/address-bytes.ts";
import { type AddressRule, parseAddressRule, splitOutsideBrackets } from "#config/address-rules.ts";
import type { Reading } from "#config/errors.ts";
import { isHostName } from "#config/host-name.ts";
import { formatServerEndpoint, parseServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import { isIpAddress } from "#model/ip-address.ts";
import { numericStorageId } from "#model/storage-id.ts";

/** What a value looks like in TOML and in JSON. */
export type PlainValue = string | number | boolean | readonly PlainValue[];

/** What is appended to the property of `Config` that holds the value, because its type does not say the unit. */
export type UnitSuffix = "" | "Ms" | "Bytes";

export interface ValueType<T, Suffix extends UnitSuffix = UnitSuffix> {
  readonly name:
    | "text"
    | "path"
    | "true or false"
    | "integer"
    | "size"
    | "size or percentage"
    | "duration"
    | "time of day"
    | "choice"
    | "list";
  /** What the value counts or measures, for people; empty where the name says it. */
  readonly unit: string;
  /** Completes the sentence "allowed is …". */
  readonly allowed: string;
  readonly suffix: Suffix;
  /** Checks a value as the TOML parser gives it. */
  read(value: unknown): Reading<T>;
  /** What `text` from the environment or the command line stands for; `read` judges it. */
  fromText(text: string): unknown;
  write(value: T): PlainValue;
}

const maxTextLength = 4096;

export interface TextOptions {
  readonly maxLength?: number;
  /** Says in words what else is asked of the text, and tests it. */
  readonly form?: { readonly words: string; readonly accepts: (text: string) => boolean };
}

export function text(options: TextOptions = {}): ValueType<string, ""> {
  const { maxLength = maxTextLength, form } = options;
  const allowed = form?.words ?? `text of at most ${maxLength} characters`;
  return {
    name: "text",
    unit: "",
    allowed,
    suffix: "",
    read: (value) => {
      if (typeof value !== "string") return notAllowed(value, allowed);
      if (value.length > maxLength) return { problem: `too long; allowed is ${allowed}` };
      if (hasControlCharacter(value))
        return { problem: `a control character; allowed is ${allowed}` };
      if (form !== undefined && !form.accepts(value)) return notAllowed(value, allowed);
      return { value };
    },
    fromText: (written) => written,
    write: (value) => value,
  };
}

/** A file or directory; relative ones are resolved by the loader. Empty is accepted where `mayBeEmpty`. */
export function path(options: { readonly mayBeEmpty?: boolean } = {}): ValueType<string, ""> {
  const mayBeEmpty = options.mayBeEmpty === true;
  const words = mayBeEmpty ? "a path, or empty" : "a path";
  return {
    ...text({ form: { words, accepts: (value) => mayBeEmpty || value !== "" } }),
    name: "path",
  };
}

export function flag(): ValueType<boolean, ""> {
  return {
    name: "true or false",
    unit: "",
    allowed: "true or false",
    suffix: "",
    read: (value) => (typeof value === "boolean" ? { value } : notAllowed(value, "true or false")),
    fromText: (written) => flagWords.get(written.trim().toLowerCase()) ?? written,
    write: (value) => value,
  };
}

const flagWords: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

export interface Range<Bound> {
  readonly min: Bound;
  readonly max: Bound;
}

export function integer(range: Range<number> & { readonly unit?: string }): ValueType<number, ""> {
  const allowed = `a whole number from ${range.min} to ${range.max}`;
  return {
    name: "integer",
    unit: range.unit ?? "",
    allowed,
    suffix: "",
    read: (value) => {
      if (typeof value !== "number" || !Number.isInteger(value)) return notAllowed(value, allowed);
      return isWithin(value, range) ? { value } : notAllowed(value, allowed);
    },
    fromText: numberOrText,
    write: (value) => value,
  };
}

/** A size in bytes, written as a whole number or as `"64MiB"`. */
export function byteSize(range: Range<string>): ValueType<number, "Bytes"> {
  const bounds = { min: bound(parseByteSize, range.min), max: bound(parseByteSize, range.max) };
  const allowed = `a size from ${range.min} to ${range.max}, such as "64MiB", or a number of bytes`;
  return {
    name: "size",
    unit: "",
    allowed,
    suffix: "Bytes",
    read: (value) => {
      if (typeof value !== "string" && typeof value !== "number") return notAllowed(value, allowed);
      const bytes = typeof value === "string" ? parseByteSize(value) : value;
      if (bytes === undefined || !Number.isInteger(bytes)) return notAllowed(value, allowed);
      return isWithin(bytes, bounds) ? { value: bytes } : notAllowed(value, allowed);
    },
    fromText: numberOrText,
    write: formatByteSize,
  };
}

export type SpaceLimit =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "percent"; readonly percent: number };

/** Space of a disk as a size or as a share of the whole, `"1GiB"` or `"10%"` (protocol §9.4). */
export function spaceLimit(range: Range<string>): ValueType<SpaceLimit, ""> {
  const size = byteSize(range);
  const allowed = `a size from ${range.min} to ${range.max} such as "1GiB", or a percentage between 0 and 100 such as "10%"`;
  return {
    name: "size or percentage",
    unit: "",
    allowed,
    suffix: "",
    read: (value) => {
      const percentText =
        typeof value === "string"
          ? /^(\d{1,2}(?:\.\d{1,2})?)\s*%$/.exec(value.trim())?.[1]
          : undefined;
      if (percentText !== undefined) {
        const percent = Number(percentText);
        return percent > 0 ? { value: { kind: "percent", percent } } : notAllowed(value, allowed);
      }
      if (typeof value !== "string" && typeof value !== "number") return notAllowed(value, allowed);
      const bytes = size.read(value);
      return "problem" in bytes
        ? notAllowed(value, allowed)
        : { value: { kind: "bytes", bytes: bytes.value } };
    },
    fromText: numberOrText,
    write: (limit) =>
      limit.kind === "percent" ? `${limit.percent}%` : formatByteSize(limit.bytes),
  };
}

/** A span of time, written with its unit: `"30s"`. */
export function duration(range: Range<string>): ValueType<number, "Ms"> {
  const bounds = { min: bound(parseDuration, range.min), max: bound(parseDuration, range.max) };
  const allowed = `a duration from ${range.min} to ${range.max} with its unit (ms, s, m, h, d), such as "30s"`;
  return {
    name: "duration",
    unit: "",
    allowed,
    suffix: "Ms",
    read: (value) => {
      if (typeof value === "number") {
        return {
          problem: `${value} has no unit; write "${value}s" for seconds; allowed is ${allowed}`,
        };
      }
      if (typeof value !== "string") return notAllowed(value, allowed);
      const ms = parseDuration(value);
      if (ms === undefined) return notAllowed(value, allowed);
      return isWithin(ms, bounds) ? { value: ms } : notAllowed(value, allowed);
    },
    fromText: numberOrText,
    write: formatDuration,
  };
}

export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

export function timeOfDay(): ValueType<TimeOfDay, ""> {
  const allowed = 'a time of day from "00:00" to "23:59"';
  return {
    name: "time of day",
    unit: "",
    allowed,
    suffix: "",
    read: (value) => {
      if (typeof value !== "string") return notAllowed(value, allowed);
      const match = /^(\d{1,2}):(\d{1,2})$/.exec(value.trim());
      const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
      if (match === null || hour > 23 || minute > 59) return notAllowed(value, allowed);
      return { value: { hour, minute } };
    },
    fromText: (written) => written,
    write: ({ hour, minute }) => `${pad(hour)}:${pad(minute)}`,
  };
}

export function choice<const Word extends string>(...words: readonly Word[]): ValueType<Word, ""> {
  const allowed = words.map((word) => `"${word}"`).join(", ");
  return {
    name: "choice",
    unit: "",
    allowed: `one of ${allowed}`,
    suffix: "",
    read: (value) => {
      // Words that are digits may be written as numbers too.
      const word = words.find(
        (each) => each === (typeof value === "number" ? String(value) : value),
      );
      return word === undefined ? notAllowed(value, `one of ${allowed}`) : { value: word };
    },
    fromText: (written) => written.trim(),
    write: (value) => value,
  };
}

/** An IP address in canonical text, or one of `words` such as `auto`. */
export function ipAddress(...words: readonly string[]): ValueType<string, ""> {
  const allowed = [...words.map((word) => `"${word}"`), "an IP address"].join(" or ");
  return {
    ...text(),
    allowed,
    read: (value) => {
      if (typeof value !== "string") return notAllowed(value, allowed);
      if (words.includes(value)) return { value };
      const address = value.trim();
      return isIpAddress(address)
        ? { value: canonicalAddress(address) }
        : notAllowed(value, allowed);
    },
  };
}

/** One entry of `node.allow_hosts`. */
export function addressRule(): ValueType<AddressRule, ""> {
  const allowed =
    '"*", an IP address, a network such as "10.0.0.0/8", a range such as "10.0.1.[1-15,20]" or a host name';
  return {
    ...withoutText,
    allowed,
    read: (value) => {
      if (typeof value !== "string") return notAllowed(value, allowed);
      const rule = parseAddressRule(value);
      if ("value" in rule) return rule;
      return { problem: `"${shorten(value)}": ${rule.problem}; allowed is ${allowed}` };
    },
    write: (rule) => rule.text,
  };
}

/** A tracker: `host:port`, `host1,host2:port` or `[v6,…]:port`; the port may be missing (protocol §11.4). */
export function trackerAddress(defaultPort: number): ValueType<ServerEndpoint, ""> {
  const allowed = `"host:port", "host1,host2:port" or "[2001:db8::1]:port" (without port it is ${defaultPort})`;
  return {
    ...withoutText,
    allowed,
    read: (value) => {
      const server =
        typeof value === "string" ? parseServerEndpoint(value.trim(), defaultPort) : undefined;
      if (server === undefined || !server.addresses.every(isHost))
        return notAllowed(value, allowed);
      return { value: { ...server, addresses: server.addresses.map(canonicalAddress) } };
    },
    write: formatServerEndpoint,
  };
}

/** A number 1 … 16777215 as text, or empty; FastDFS compares these ids as text. */
export function storageServerId(): ValueType<string, ""> {
  const base = text({
    form: {
      words: "a number from 1 to 16777215, or empty",
      accepts: (id) => id === "" || numericStorageId(id) !== undefined,
    },
  });
  return { ...base, read: (value) => base.read(typeof value === "number" ? String(value) : value) };
}

export interface ListOptions {
  readonly min: number;
  readonly max: number;
}

/** Several values of one type, written as a TOML array; a lone value stands for a list of one. Doubles are refused. */
export function list<T>(item: ValueType<T, "">, options: ListOptions): ValueType<readonly T[], ""> {
  const count = options.min === 0 ? `at most ${options.max}` : `${options.min} to ${options.max}`;
  const allowed = `a list of ${count}, each ${item.allowed}`;
  return {
    name: "list",
    unit: "",
    allowed,
    suffix: "",
    read: (value) => {
      const written: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (written.length < options.min || written.length > options.max) {
        return { problem: `${written.length} entries; allowed is ${allowed}` };
      }
      const values: T[] = [];
      const seen = new Set<string>();
      for (const [at, each] of written.entries()) {
        const reading = item.read(each);
        if ("problem" in reading) return { ...reading, at };
        const text = String(item.write(reading.value));
        if (seen.has(text)) return { problem: `"${text}" stands in the list twice`, at };
        seen.add(text);
        values.push(reading.value);
      }
      return { value: values };
    },
    fromText: (written) => {
      const array = parseTomlValue(written);
      if (Array.isArray(array)) return array;
      return splitOutsideBrackets(written, ",")
        .map((each) => each.trim())
        .filter((each) => each !== "");
    },
    write: (values) => values.map((value) => item.write(value)),
  };
}

/** The value that `written` is in TOML notation, or undefined. */
export function parseTomlValue(written: string): unknown {
  try {
    return parse(`value = ${written.trim()}`, { maxDepth: 4 }).value;
  } catch {
    return undefined;
  }
}

const withoutText = {
  name: "text",
  unit: "",
  suffix: "",
  fromText: (written: string): unknown => written,
} as const;

function isHost(host: string): boolean {
  return isIpAddress(host) || isHostName(host);
}

function numberOrText(written: string): number | string {
  return /^-?\d{1,15}$/.test(written.trim()) ? Number(written) : written;
}

function isWithin(value: number, range: Range<number>): boolean {
  return value >= range.min && value <= range.max;
}

function notAllowed(value: unknown, allowed: string): { problem: string } {
  return { problem: `${describeValue(value)} is not allowed; allowed is ${allowed}` };
}

/** What a wrong value is, short enough for a message. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "boolean") return String(value);
  if (value instanceof Date) return "a date or time without quotation marks";
  return Array.isArray(value) ? "a list" : "a table";
}

function shorten(written: string): string {
  return written.length <= 60 ? written : `${written.slice(0, 57)}...`;
}

function hasControlCharacter(written: string): boolean {
  for (let at = 0; at < written.length; at += 1) {
    const code = written.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** For bounds that stand in the schema. */
function bound(parseBound: (written: string) => number | undefined, written: string): number {
  return present(parseBound(written), `the bound "${written}"`);
}
