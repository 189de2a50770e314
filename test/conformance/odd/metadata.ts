/** Odd metadata: SET_METADATA (13), GET_METADATA (15). */
import { frame } from "../../support/raw-connection.ts";
import { body, type Part } from "../../support/wire-bytes.ts";
import { group, type OddRequest } from "./odd-request.ts";

const invalid = "22 open";

/** `b=2` to be set for a file, with one thing changed. */
function set(
  text: string,
  changes: {
    readonly flag?: string;
    readonly group?: Part;
    readonly rename?: (name: string) => string;
    readonly nameLength?: number;
    readonly textLength?: number;
  } = {},
): (name: string) => Buffer {
  const { flag = "O", group: groupPart = group, rename = (name: string) => name } = changes;
  return (old) => {
    const name = rename(old);
    const { nameLength = name.length, textLength = text.length } = changes;
    return frame(13, body({ i64: nameLength }, { i64: textLength }, flag, groupPart, name, text));
  };
}

const leftovers = "C drops or cuts what does not fit, and then stores as many bytes as came";

/** What a text becomes, here and in C; separators are 1 between records, 2 between name and value. */
const texts: readonly (readonly [string, string, string, string?])[] = [
  ["sorted", "b\x022\x01a\x021", "a\x021\x01b\x022"],
  ["with two records of one name", "a\x022\x01a\x021", "a\x022\x01a\x021"],
  ["with an empty value", "a\x02", "a\x02"],
  ["with an empty name", "\x021", "\x021"],
  ["of a separator of name and value", "\x02", "\x02"],
  ["without separators", "abc", "", "abc"],
  ["of record separators", "\x01\x01\x01", "", "\0\0\0"],
  ["with a record separator in front", "\x01a\x021", "a\x021", "a\x021\0"],
  ["with a record separator behind", "a\x021\x01", "a\x021", "a\x021\0"],
  [
    "with two record separators in the middle",
    "a\x021\x01\x01b\x022",
    "a\x021\x01b\x022",
    "a\x021\x01b\x022\0",
  ],
  [
    "with a record without a value",
    "a\x021\x01b\x01c\x023",
    "a\x021\x01c\x023",
    "a\x021\x01c\x023\x003",
  ],
  ["with two separators of name and value", "a\x02b\x02c", "a\x02b\x02c"],
  ["with NULs", "a\0b\x021\0", "a\0b\x021\0"],
  ["with line ends and blanks", "a b\x021\n2", "a b\x021\n2"],
  ["in UTF-8", "n\xc3\xa4me\x02\xc3\xa9", "n\xc3\xa4me\x02\xc3\xa9"],
  ["with bytes that are no UTF-8", "\xff\x02\xfe", "\xff\x02\xfe"],
  ["with a name of 64 bytes", `${"n".repeat(64)}\x021`, `${"n".repeat(64)}\x021`],
  [
    "with a name of 65 bytes",
    `${"n".repeat(65)}\x021`,
    `${"n".repeat(64)}\x021`,
    `${"n".repeat(64)}\x021\0`,
  ],
  ["with a value of 256 bytes", `a\x02${"v".repeat(256)}`, `a\x02${"v".repeat(256)}`],
  [
    "with a value of 257 bytes",
    `a\x02${"v".repeat(257)}`,
    `a\x02${"v".repeat(256)}`,
    `a\x02${"v".repeat(256)}\0`,
  ],
];

export const metadataRequests: readonly OddRequest[] = [
  ...texts.map(([what, text, leavesMetadata, referenceLeaves]) => ({
    ...(referenceLeaves === undefined ? {} : { referenceLeaves, why: leftovers }),
    says: `metadata ${what}`,
    on: "normal" as const,
    request: set(text),
    expect: "0 open",
    leavesMetadata,
  })),
  {
    says: "metadata of an empty file",
    on: "empty",
    request: set("b\x022"),
    expect: "0 open",
    leaves: "status 22",
    leavesMetadata: "b\x022",
  },
  {
    says: "metadata that replaces",
    on: "described",
    request: set("b\x022"),
    expect: "0 open",
    leavesMetadata: "b\x022",
  },
  {
    says: "metadata that merges",
    on: "described",
    request: set("b\x022", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "a\x021\x01b\x022",
  },
  {
    says: "metadata that merges a new value",
    on: "described",
    request: set("a\x022", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "a\x022",
  },
  {
    says: "metadata that merges what has no separator",
    on: "described",
    request: set("abc", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata that merges into nothing",
    on: "normal",
    request: set("b\x022", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "b\x022",
  },
  {
    says: "metadata that merges nothing",
    on: "described",
    request: set("", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata that merges nothing into nothing",
    on: "normal",
    request: set("", { flag: "M" }),
    expect: "0 open",
    leavesMetadata: "none",
  },
  {
    says: "metadata that replaces by nothing",
    on: "described",
    request: set(""),
    expect: "0 open",
    leavesMetadata: "none",
  },
  {
    says: "metadata that replaces nothing by nothing",
    on: "normal",
    request: set(""),
    expect: "0 open",
    leavesMetadata: "none",
  },
  ...["X", "o", "m", "\0"].map((flag) => ({
    says: `metadata with the flag ${JSON.stringify(flag)}`,
    on: "described" as const,
    request: set("b\x022", { flag }),
    expect: invalid,
    leavesMetadata: "a\x021",
  })),
  {
    says: "metadata said to be longer than it is",
    on: "described",
    request: set("b\x022", { textLength: 4 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata said to be shorter than it is",
    on: "described",
    request: set("b\x022", { textLength: 2 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata said to be empty",
    on: "described",
    request: set("b\x022", { textLength: 0 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of -1 bytes",
    on: "described",
    request: set("b\x022", { textLength: -1 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a name of -1 bytes",
    on: "described",
    request: set("b\x022", { nameLength: -1 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a name of no bytes",
    on: "described",
    request: set("b\x022", { nameLength: 0 }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a name said to be a byte shorter, its last one being metadata",
    on: "described",
    request: set("b\x022", { nameLength: 43, textLength: 4 }),
    expect: "2 open",
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a name of 128 bytes",
    on: "described",
    request: set("b\x022", { rename: (name) => name.padEnd(128, "x") }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a name above the store path",
    on: "described",
    request: set("b\x022", { rename: () => "M00/../../../../etc/passwd" }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a file on store path 2 of two",
    on: "described",
    request: set("b\x022", { rename: (name) => `M02${name.slice(3)}` }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of another group",
    on: "described",
    request: set("b\x022", { group: ["group2", 16] }),
    expect: invalid,
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata of a missing file",
    on: "missing",
    request: set("b\x022"),
    expect: "2 open",
    leaves: "status 2",
    leavesMetadata: "none",
  },
  {
    says: "metadata of nothing for a missing file",
    on: "missing",
    request: set(""),
    expect: "2 open",
    leaves: "status 2",
    leavesMetadata: "none",
  },
  { says: "metadata without a body", on: "normal", request: () => frame(13), expect: invalid },
  {
    says: "metadata with the fixed part alone",
    on: "normal",
    request: () => frame(13, Buffer.alloc(33)),
    expect: invalid,
  },
  {
    says: "metadata asked for",
    on: "described",
    request: (name) => frame(15, body(group, name)),
    expect: "0+3 open",
    leavesMetadata: "a\x021",
  },
  {
    says: "metadata asked for of a file without",
    on: "normal",
    request: (name) => frame(15, body(group, name)),
    expect: "2 open",
  },
  {
    says: "metadata asked for of a missing file",
    on: "missing",
    request: (name) => frame(15, body(group, name)),
    expect: "2 open",
    leaves: "status 2",
  },
  {
    says: "metadata asked for of another group",
    on: "described",
    request: (name) => frame(15, body(["group2", 16], name)),
    expect: invalid,
  },
  {
    says: "metadata asked for above the store path",
    on: "described",
    request: () => frame(15, body(group, "M00/../../../../etc/passwd")),
    expect: invalid,
  },
  {
    says: "metadata asked for without a name",
    on: "described",
    request: () => frame(15, body(group)),
    expect: invalid,
  },
  {
    says: "metadata asked for without a body",
    on: "described",
    request: () => frame(15),
    expect: invalid,
  },
];
