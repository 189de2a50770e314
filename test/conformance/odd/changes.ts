/**
 * Odd changes of appender files: APPEND_FILE (24), MODIFY_FILE (34), TRUNCATE_FILE (36), REGENERATE_APPENDER_FILENAME (38); and
 * CREATE_LINK (20).
 */
import { frame } from "../../support/raw-connection.ts";
import { body } from "../../support/wire-bytes.ts";
import { group, letters, type OddRequest } from "./odd-request.ts";

const invalid = "22 open";
const missing = "2 open";
const echo =
  "C echoes the request as the reply's body; clients that read no body take it for the next reply's header";

interface Changes {
  readonly rename?: (name: string) => string;
  readonly nameLength?: number;
  readonly size?: number;
}

function append(content: string, changes: Changes = {}): (name: string) => Buffer {
  return (old) => {
    const name = changes.rename?.(old) ?? old;
    const { nameLength = name.length, size = content.length } = changes;
    return frame(24, body({ i64: nameLength }, { i64: size }, name, content));
  };
}

function modify(offset: number, content: string, changes: Changes = {}): (name: string) => Buffer {
  return (old) => {
    const name = changes.rename?.(old) ?? old;
    const { nameLength = name.length, size = content.length } = changes;
    return frame(34, body({ i64: nameLength }, { i64: offset }, { i64: size }, name, content));
  };
}

function truncate(size: number, changes: Changes = {}): (name: string) => Buffer {
  return (old) => {
    const name = changes.rename?.(old) ?? old;
    const { nameLength = name.length } = changes;
    return frame(36, body({ i64: nameLength }, { i64: size }, name));
  };
}

const above = (): string => "M00/../../../../../../etc/passwd-and-more-letters";
const onPathTwo = (name: string): string => `M02${name.slice(3)}`;
const long = (name: string): string => name.padEnd(128, "x");

export const appendRequests: readonly OddRequest[] = [
  {
    says: "an append",
    on: "appender",
    request: append("!"),
    expect: "0 open",
    leaves: `${letters}!`,
  },
  {
    says: "an append to an empty appender file",
    on: "empty-appender",
    request: append("!"),
    expect: "0 open",
    leaves: "!",
  },
  {
    says: "an append of no bytes",
    on: "appender",
    request: append(""),
    expect: "0 open",
    reference: "0+60 open",
    why: echo,
  },
  {
    says: "an append of no bytes to a normal file",
    on: "normal",
    request: append(""),
    expect: invalid,
  },
  { says: "an append to a normal file", on: "normal", request: append("!"), expect: invalid },
  {
    says: "an append to an empty normal file",
    on: "empty",
    request: append("!"),
    expect: invalid,
    leaves: "status 22",
  },
  {
    says: "an append to a slave",
    on: "master",
    request: append("!", { rename: (name) => name.replace(".txt", "_s.txt") }),
    expect: invalid,
  },
  {
    says: "an append to a missing file",
    on: "missing",
    request: append("!"),
    expect: missing,
    leaves: "status 2",
  },
  {
    says: "an append said to have a byte more",
    on: "appender",
    request: append("!", { size: 2 }),
    expect: invalid,
  },
  {
    says: "an append said to have a byte less",
    on: "appender",
    request: append("!!", { size: 1 }),
    expect: invalid,
  },
  {
    says: "an append of -1 bytes",
    on: "appender",
    request: append("!", { size: -1 }),
    expect: invalid,
  },
  {
    says: "an append to a name of -1 bytes",
    on: "appender",
    request: append("!", { nameLength: -1 }),
    expect: invalid,
  },
  {
    says: "an append to a name said to be longer than the body",
    on: "appender",
    request: append("!", { nameLength: 1000 }),
    expect: invalid,
  },
  {
    says: "an append to a name above the store path",
    on: "appender",
    request: append("!", { rename: above }),
    expect: invalid,
  },
  {
    says: "an append on store path 2 of two",
    on: "appender",
    request: append("!", { rename: onPathTwo }),
    expect: invalid,
  },
  {
    says: "an append to a name of 128 bytes",
    on: "appender",
    request: append("!", { rename: long }),
    expect: invalid,
  },
  {
    says: "an append to a name of 43 bytes",
    on: "appender",
    request: append("!", { rename: (name) => name.slice(0, 43) }),
    expect: invalid,
  },
  { says: "an append without a body", on: "appender", request: () => frame(24), expect: invalid },
  {
    says: "an append with the fixed part alone",
    on: "appender",
    request: () => frame(24, Buffer.alloc(16)),
    expect: invalid,
  },
];

export const modifyRequests: readonly OddRequest[] = [
  {
    says: "a modification",
    on: "appender",
    request: modify(1, "BC"),
    expect: "0 open",
    leaves: `aBC${letters.slice(3)}`,
  },
  {
    says: "a modification over the end",
    on: "appender",
    request: modify(25, "Z!"),
    expect: "0 open",
    leaves: `${letters.slice(0, 25)}Z!`,
  },
  {
    says: "a modification at the end",
    on: "appender",
    request: modify(26, "!"),
    expect: "0 open",
    leaves: `${letters}!`,
  },
  {
    says: "a modification past the end",
    on: "appender",
    request: modify(27, "!"),
    expect: invalid,
  },
  {
    says: "a modification far past the end",
    on: "appender",
    request: modify(2 ** 62, "!"),
    expect: invalid,
  },
  { says: "a modification from -1 on", on: "appender", request: modify(-1, "!"), expect: invalid },
  {
    says: "a modification of no bytes",
    on: "appender",
    request: modify(0, ""),
    expect: "0 open",
    reference: "0+68 open",
    why: echo,
  },
  {
    says: "a modification of no bytes past the end",
    on: "appender",
    request: modify(27, ""),
    expect: invalid,
  },
  {
    says: "a modification of a normal file",
    on: "normal",
    request: modify(0, "!"),
    expect: invalid,
  },
  {
    says: "a modification of a missing file",
    on: "missing",
    request: modify(0, "!"),
    expect: missing,
    leaves: "status 2",
  },
  {
    says: "a modification said to have a byte more",
    on: "appender",
    request: modify(0, "!", { size: 2 }),
    expect: invalid,
  },
  {
    says: "a modification of -1 bytes",
    on: "appender",
    request: modify(0, "!", { size: -1 }),
    expect: invalid,
  },
  {
    says: "a modification of a name above the store path",
    on: "appender",
    request: modify(0, "!", { rename: above }),
    expect: invalid,
  },
  {
    says: "a modification of a name of 128 bytes",
    on: "appender",
    request: modify(0, "!", { rename: long }),
    expect: invalid,
  },
  {
    says: "a modification without a body",
    on: "appender",
    request: () => frame(34),
    expect: invalid,
  },
];

export const truncateRequests: readonly OddRequest[] = [
  { says: "a truncation", on: "appender", request: truncate(3), expect: "0 open", leaves: "abc" },
  {
    says: "a truncation to a larger size",
    on: "appender",
    request: truncate(28),
    expect: "0 open",
    leaves: `${letters}\0\0`,
  },
  {
    says: "a truncation to nothing",
    on: "appender",
    request: truncate(0),
    expect: "0 open",
    leaves: "status 22",
  },
  {
    says: "a truncation to the same size",
    on: "appender",
    request: truncate(26),
    expect: "0 open",
    reference: "0+60 open",
    why: echo,
  },
  { says: "a truncation to -1 bytes", on: "appender", request: truncate(-1), expect: invalid },
  {
    says: "a truncation to 2^62 bytes",
    on: "appender",
    request: truncate(2 ** 62),
    expect: invalid,
  },
  { says: "a truncation of a normal file", on: "normal", request: truncate(3), expect: invalid },
  {
    says: "a truncation of a normal file to the same size",
    on: "normal",
    request: truncate(26),
    expect: invalid,
  },
  {
    says: "a truncation of a missing file",
    on: "missing",
    request: truncate(3),
    expect: missing,
    leaves: "status 2",
  },
  {
    says: "a truncation of a name said to be a byte longer",
    on: "appender",
    request: truncate(3, { nameLength: 45 }),
    expect: invalid,
    reference: "-",
    why: "C takes whatever lies behind the request in its buffer for the rest of the name, here a NUL",
  },
  {
    says: "a truncation of a name of -1 bytes",
    on: "appender",
    request: truncate(3, { nameLength: -1 }),
    expect: invalid,
  },
  {
    says: "a truncation of a name above the store path",
    on: "appender",
    request: truncate(3, { rename: above }),
    expect: invalid,
  },
  {
    says: "a truncation of a name of 128 bytes",
    on: "appender",
    request: truncate(3, { rename: long }),
    expect: invalid,
  },
  {
    says: "a truncation without a body",
    on: "appender",
    request: () => frame(36),
    expect: invalid,
  },
];

export const regenerateRequests: readonly OddRequest[] = [
  {
    says: "a new name for an appender file",
    on: "appender",
    request: (name) => frame(38, body(name)),
    expect: "0+60 open",
    leaves: "status 2",
  },
  {
    says: "a new name for an empty appender file",
    on: "empty-appender",
    request: (name) => frame(38, body(name)),
    expect: "0+60 open",
    leaves: "status 2",
  },
  {
    says: "a new name for a normal file",
    on: "normal",
    request: (name) => frame(38, body(name)),
    expect: invalid,
  },
  {
    says: "a new name for a missing file",
    on: "missing",
    request: (name) => frame(38, body(name)),
    expect: missing,
    leaves: "status 2",
  },
  {
    says: "a new name with a group in front of the old one",
    on: "appender",
    request: (name) => frame(38, body(group, name)),
    expect: invalid,
  },
  {
    says: "a new name for one above the store path",
    on: "appender",
    request: () => frame(38, body(above())),
    expect: invalid,
  },
  {
    says: "a new name for one of 128 bytes",
    on: "appender",
    request: (name) => frame(38, body(long(name))),
    expect: invalid,
  },
  {
    says: "a new name for one of 43 bytes",
    on: "appender",
    request: (name) => frame(38, body(name.slice(0, 43))),
    expect: invalid,
  },
  { says: "a new name for nothing", on: "appender", request: () => frame(38), expect: invalid },
];

function link(source: (name: string) => string, signature: string): (name: string) => Buffer {
  return (name) => {
    const lengths = [{ i64: 0 }, { i64: source(name).length }, { i64: signature.length }] as const;
    return frame(20, body(...lengths, group, ["", 16], ["txt", 6], source(name), signature));
  };
}

export const linkRequests: readonly OddRequest[] = [
  {
    says: "a link",
    on: "normal",
    request: link((name) => name, "signature"),
    expect: "0+60 open",
  },
  {
    says: "a link to a missing file",
    on: "missing",
    request: link((name) => name, "signature"),
    expect: "2 open",
    leaves: "status 2",
  },
  {
    says: "a link without signature",
    on: "normal",
    request: link((name) => name, ""),
    expect: invalid,
  },
  { says: "a link without a body", on: "normal", request: () => frame(20), expect: invalid },
];
