/** Odd ways of storing files: UPLOAD_FILE (11), UPLOAD_APPENDER_FILE (23), UPLOAD_SLAVE_FILE (21). */
import { frame } from "../../support/raw-connection.ts";
import { body, type Part } from "../../support/wire-bytes.ts";
import { letters, type OddRequest } from "./odd-request.ts";

const nothing = { on: "nothing" } as const;
const stored = "0+60 open";

/** The 26 letters as an upload with one thing changed. */
function upload(
  changes: {
    readonly command?: number;
    readonly path?: number;
    readonly size?: number;
    readonly extension?: Part;
    readonly content?: string;
    readonly length?: number | bigint;
    readonly status?: number;
  } = {},
): () => Buffer {
  const { command = 11, path = 0, size = 26, extension = ["txt", 6], content = letters } = changes;
  return () => frame(command, body(path, { i64: size }, extension, content), changes);
}

/** A slave `_s.txt` of one byte with one thing changed. */
function slave(
  changes: {
    readonly master?: (name: string) => string;
    readonly nameLength?: number;
    readonly size?: number;
    readonly prefix?: Part;
    readonly extension?: Part;
    readonly content?: string;
  } = {},
): (name: string) => Buffer {
  const { size = 1, prefix = ["_s", 16], extension = ["txt", 6], content = "s" } = changes;
  return (name) => {
    const master = changes.master?.(name) ?? name;
    const { nameLength = master.length } = changes;
    return frame(21, body({ i64: nameLength }, { i64: size }, prefix, extension, master, content));
  };
}

const pathRequests = [
  [1, stored],
  [255, stored],
  [2, "22 open"],
  [127, "22 open"],
  [128, "22 open"],
  [254, "22 open"],
].map(([path, expect]) => ({
  ...nothing,
  says: `an upload to store path ${path} of two`,
  request: upload({ path: Number(path) }),
  expect: String(expect),
}));

const extensionRequests = [
  ["of six characters", ["tar.gz", 6], stored],
  ["of dots", ["......", 6], stored],
  ["..", ["..", 6], stored],
  ["with a slash", ["a/b", 6], "22 open"],
  ["../x", ["../x", 6], "22 open"],
  ["with a blank", ["a b", 6], "22 open"],
  ["with a NUL in the middle", "ab\0cde", stored],
  ["with a NUL in front", "\0abcde", stored],
  ["with a high byte", "\xe4\0\0\0\0\0", "22 open"],
  ["with a star", ["*", 6], "22 open"],
  ["with a line end", ["a\nb", 6], "22 open"],
].map(([what, extension, expect]) => ({
  ...nothing,
  says: `an upload with an extension ${what}`,
  request: upload({ extension: extension as Part }),
  expect: String(expect),
}));

export const uploadRequests: readonly OddRequest[] = [
  { ...nothing, says: "an upload", request: upload(), expect: stored },
  {
    ...nothing,
    says: "an upload of an appender file",
    request: upload({ command: 23 }),
    expect: stored,
  },
  {
    ...nothing,
    says: "an upload without a body",
    request: () => frame(11),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload of 14 bytes",
    request: () => frame(11, Buffer.alloc(14)),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload of an empty file",
    request: upload({ size: 0, content: "" }),
    expect: stored,
  },
  {
    ...nothing,
    says: "an upload of an empty file without extension",
    request: upload({ size: 0, content: "", extension: ["", 6] }),
    expect: stored,
  },
  {
    ...nothing,
    says: "an upload that says one byte less than its body has",
    request: upload({ size: 25 }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload that says one byte more than its body has",
    request: upload({ size: 27 }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload that says -1 bytes",
    request: upload({ size: -1 }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload that says -1 bytes and has none",
    request: upload({ size: -1, content: "" }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload that says 0 bytes and has some",
    request: upload({ size: 0 }),
    expect: "22 open",
  },
  ...[46, 50, 62].map((power) => ({
    ...nothing,
    says: `an upload of 2^${power} bytes, of which the first 300,000 come`,
    request: upload({
      size: 2 ** power,
      length: 2n ** BigInt(power) + 15n,
      content: "x".repeat(300_000),
    }),
    expect: "28 closed",
    reference: "28 lost",
    why: "C takes the rest of the content for the next request; nobody can wait for all of it",
  })),
  {
    ...nothing,
    says: "an upload of 1 MiB to store path 2 of two",
    request: upload({ path: 2, size: 2 ** 20, content: "x".repeat(2 ** 20) }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload of 1 MiB of which one byte is missing, and its end is another request",
    request: upload({ path: 2, size: 2 ** 20, content: "x".repeat(2 ** 20 - 10) }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an upload of which one byte is missing",
    request: upload({ size: 27, length: 42 }),
    expect: "waits",
  },
  {
    ...nothing,
    says: "an upload with a status",
    request: upload({ status: 3 }),
    expect: stored,
  },
  ...pathRequests,
  ...extensionRequests,
  {
    ...nothing,
    says: "an appender upload to store path 2 of two",
    request: upload({ command: 23, path: 2 }),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "an appender upload that says one byte more than its body has",
    request: upload({ command: 23, size: 27 }),
    expect: "22 open",
  },
];

export const slaveRequests: readonly OddRequest[] = [
  { says: "a slave", on: "normal", request: slave(), expect: "0+62 open" },
  { says: "a slave that exists", on: "master", request: slave(), expect: "17 open" },
  {
    says: "a slave of no bytes",
    on: "normal",
    request: slave({ size: 0, content: "" }),
    expect: "0+62 open",
  },
  { says: "a slave of an appender file", on: "appender", request: slave(), expect: "0+62 open" },
  {
    says: "a slave of a missing master",
    on: "missing",
    request: slave(),
    expect: "2 open",
    leaves: "status 2",
  },
  {
    says: "a slave of a slave",
    on: "master",
    request: slave({ master: (name) => name.replace(".txt", "_s.txt") }),
    expect: "0+64 open",
  },
  {
    says: "a slave without a prefix",
    on: "normal",
    request: slave({ prefix: ["", 16] }),
    expect: "22 open",
  },
  {
    says: "a slave with a prefix of 16 characters",
    on: "normal",
    request: slave({ prefix: ["0123456789abcdef", 16] }),
    expect: "0+76 open",
  },
  {
    says: "a slave with a NUL in its prefix",
    on: "normal",
    request: slave({ prefix: "ab\0cdefghijklmno" }),
    expect: "0+62 open",
  },
  {
    says: "a slave with a slash in its prefix",
    on: "normal",
    request: slave({ prefix: ["/../x", 16] }),
    expect: "22 open",
  },
  {
    says: "a slave that would be its master's metadata",
    on: "normal",
    request: slave({ prefix: ["-m", 16], extension: ["", 6] }),
    expect: "22 open",
  },
  {
    says: "a slave with prefix -m and an extension",
    on: "normal",
    request: slave({ prefix: ["-m", 16] }),
    expect: "0+62 open",
  },
  {
    says: "a slave without an extension",
    on: "normal",
    request: slave({ extension: ["", 6] }),
    expect: "0+58 open",
  },
  {
    says: "a slave with a slash in its extension",
    on: "normal",
    request: slave({ extension: ["a/b", 6] }),
    expect: "22 open",
  },
  {
    says: "a slave without a master",
    on: "normal",
    request: slave({ master: () => "" }),
    expect: "22 open",
  },
  {
    says: "a slave of a master with a short name",
    on: "normal",
    request: slave({ master: () => "M00/00/00/x" }),
    expect: "22 open",
    reference: "2 open",
    why: "no master has such a name; C looks for it first",
  },
  {
    says: "a slave of a master with a name of 128 characters",
    on: "normal",
    request: slave({ master: (name) => name.padEnd(128, "x") }),
    expect: "22 open",
  },
  {
    says: "a slave of a master above the store path",
    on: "normal",
    request: slave({ master: () => "M00/../../../../../../etc/passwd-and-more-letters" }),
    expect: "22 open",
  },
  {
    says: "a slave of a master on store path 127",
    on: "normal",
    request: slave({ master: (name) => `M7F${name.slice(3)}` }),
    expect: "22 open",
  },
  {
    says: "a slave that says one byte more than its body has",
    on: "normal",
    request: slave({ size: 2 }),
    expect: "22 open",
  },
  {
    says: "a slave that says -1 bytes",
    on: "normal",
    request: slave({ size: -1 }),
    expect: "22 open",
  },
  {
    says: "a slave whose master's name is said to be longer than the body",
    on: "normal",
    request: slave({ nameLength: 100 }),
    expect: "22 open",
  },
  {
    says: "a slave whose master's name is said to have -1 bytes",
    on: "normal",
    request: slave({ nameLength: -1 }),
    expect: "22 open",
  },
  {
    says: "a slave with only the fixed part of the request",
    on: "normal",
    request: () => frame(21, Buffer.alloc(38)),
    expect: "22 open",
  },
];
