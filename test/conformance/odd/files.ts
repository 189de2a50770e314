/** Odd ways of reading, describing and deleting files: DELETE_FILE (12), DOWNLOAD_FILE (14), QUERY_FILE_INFO (22). */
import { frame } from "../../support/raw-connection.ts";
import { body, type Part } from "../../support/wire-bytes.ts";
import { group, type OddRequest } from "./odd-request.ts";

const invalid = "22 open";

type Rename = (name: string) => string;

const noSuchName = "no file can have such a name: a line of the binlog has no room for it";
const crashes = "C crashes";

interface OddName {
  readonly what: string;
  readonly rename: Rename;
  readonly group?: Part;
  readonly expect: string;
  readonly reference?: string;
  readonly why?: string;
}

/** Names and groups that lead to no file, whatever is asked about it. */
const oddNames: readonly OddName[] = [
  { what: "without a name", rename: () => "", expect: invalid },
  { what: "of one letter", rename: () => "M", expect: invalid },
  { what: "of ten characters", rename: (name) => name.slice(0, 10), expect: invalid },
  { what: "of eleven characters", rename: (name) => name.slice(0, 11), expect: "2 open" },
  { what: "a character short", rename: (name) => name.slice(0, -1), expect: "2 open" },
  { what: "of a directory", rename: () => "M00/00/00/.", expect: invalid },
  { what: "of the directory above", rename: () => "M00/00/00/..", expect: invalid },
  { what: "above the store path", rename: () => "M00/../../../../etc/passwd", expect: invalid },
  {
    what: "above its directory",
    rename: (name) => `M00/00/00/../00/${name.slice(10)}`,
    expect: invalid,
  },
  {
    what: "with `..` in its base",
    rename: (name) => `${name.slice(0, 20)}..${name.slice(22)}`,
    expect: "2 open",
  },
  { what: "with a slash more", rename: (name) => `M00/00/00//${name.slice(10)}`, expect: invalid },
  { what: "with a slash in front", rename: (name) => `/${name}`, expect: invalid },
  { what: "with a slash behind", rename: (name) => `${name}/`, expect: invalid },
  { what: "of an absolute path", rename: () => "/etc/passwd-and-so-on", expect: invalid },
  {
    what: "with a NUL behind it",
    rename: (name) => `${name}\0`,
    expect: "0 open",
  },
  {
    what: "with a NUL and more behind it",
    rename: (name) => `${name}\0.jpg`,
    expect: "0 open",
  },
  {
    what: "with a NUL in it",
    rename: (name) => `${name.slice(0, 20)}\0${name.slice(21)}`,
    expect: "2 open",
  },
  { what: "of NULs", rename: () => "\0".repeat(40), expect: invalid },
  {
    what: "with a line end in it",
    rename: (name) => `${name.slice(0, 20)}\n${name.slice(21)}`,
    expect: invalid,
    reference: "2 open",
    why: noSuchName,
  },
  {
    what: "with a blank behind it",
    rename: (name) => `${name} `,
    expect: invalid,
    reference: "2 open",
    why: noSuchName,
  },
  { what: "on store path 2 of two", rename: (name) => `M02${name.slice(3)}`, expect: invalid },
  { what: "on store path 255", rename: (name) => `MFF${name.slice(3)}`, expect: invalid },
  { what: "on store path ZZ", rename: (name) => `MZZ${name.slice(3)}`, expect: invalid },
  { what: "on store path -1", rename: (name) => `M-1${name.slice(3)}`, expect: invalid },
  { what: "on the other store path", rename: (name) => `M01${name.slice(3)}`, expect: "2 open" },
  { what: "with a small m", rename: (name) => `m${name.slice(1)}`, expect: invalid },
  { what: "in directory zz", rename: (name) => `M00/zz/00/${name.slice(10)}`, expect: invalid },
  {
    what: "in directory aa, in small letters",
    rename: (name) => `M00/aa/00/${name.slice(10)}`,
    expect: invalid,
  },
  {
    what: "in a directory that nothing is in",
    rename: (name) => `M00/0F/0E/${name.slice(10)}`,
    expect: "2 open",
  },
  { what: "in the folder of the binlog", rename: () => "M00/sync/binlog.000", expect: invalid },
  { what: "of 127 characters", rename: (name) => name.padEnd(127, "x"), expect: "2 open" },
  {
    what: "of 128 characters",
    rename: (name) => name.padEnd(128, "x"),
    expect: invalid,
    reference: "2 open",
    why: noSuchName,
  },
  {
    what: "of 300 characters",
    rename: (name) => name.padEnd(300, "x"),
    expect: invalid,
    reference: "2 open",
    why: noSuchName,
  },
  { what: "of another group", rename: (name) => name, group: ["group2", 16], expect: invalid },
  { what: "of no group", rename: (name) => name, group: ["", 16], expect: invalid },
  {
    what: "of a group in capitals",
    rename: (name) => name,
    group: ["GROUP1", 16],
    expect: invalid,
  },
  {
    what: "of a group with a longer name",
    rename: (name) => name,
    group: ["group1group1group", 16],
    expect: invalid,
  },
  {
    what: "of a group with a shorter name",
    rename: (name) => name,
    group: ["group", 16],
    expect: invalid,
  },
];

function withOddNames(
  says: string,
  request: (group: Part, name: string) => Buffer,
  differing: Readonly<Record<string, Partial<OddRequest>>> = {},
): readonly OddRequest[] {
  return oddNames.map(({ what, rename, group: groupPart = group, ...row }) => ({
    says: `${says} a name ${what}`,
    on: "normal" as const,
    request: (name) => request(groupPart, rename(name)),
    ...row,
    ...differing[what],
  }));
}

function download(offset: number, bytes: number): (name: string) => Buffer {
  return (name) => frame(14, body({ i64: offset }, { i64: bytes }, group, name));
}

/** How much of a file of 26 bytes a range of 6.15.4 and later gives. */
const ranges: readonly (readonly [number, number, string])[] = [
  [0, 0, "0+26 open"],
  [0, 26, "0+26 open"],
  [0, 27, "0+26 open"],
  [0, 1, "0+1 open"],
  [25, 0, "0+1 open"],
  [25, 1, "0+1 open"],
  [25, 100, "0+1 open"],
  [20, 100, "0+6 open"],
  [0, 2 ** 62, "0+26 open"],
  [26, 0, invalid],
  [26, 1, invalid],
  [27, 0, invalid],
  [2 ** 62, 0, invalid],
  [-1, 0, invalid],
  [-(2 ** 62), 0, invalid],
  [0, -1, invalid],
  [-1, -1, invalid],
];

export const downloadRequests: readonly OddRequest[] = [
  ...ranges.map(([offset, bytes, expect]) => ({
    says: `a download of ${bytes} bytes from ${offset} on`,
    on: "normal" as const,
    request: download(offset, bytes),
    expect,
  })),
  {
    says: "a download of an empty file",
    on: "empty",
    request: download(0, 0),
    expect: invalid,
    leaves: "status 22",
  },
  {
    says: "a download of one byte of an empty file",
    on: "empty",
    request: download(0, 1),
    expect: invalid,
    leaves: "status 22",
  },
  {
    says: "a download of an appender file",
    on: "appender",
    request: download(0, 0),
    expect: "0+26 open",
  },
  {
    says: "a download of a missing file",
    on: "missing",
    request: download(0, 0),
    expect: "2 open",
    leaves: "status 2",
  },
  {
    says: "a download past the end of a missing file",
    on: "missing",
    request: download(99, 0),
    expect: "2 open",
    leaves: "status 2",
  },
  { says: "a download without a body", on: "normal", request: () => frame(14), expect: invalid },
  {
    says: "a download with 31 bytes",
    on: "normal",
    request: () => frame(14, Buffer.alloc(31)),
    expect: invalid,
  },
  {
    says: "a download with group and no name",
    on: "normal",
    request: () => frame(14, body({ i64: 0 }, { i64: 0 }, group)),
    expect: invalid,
  },
  ...withOddNames(
    "a download of",
    (part, name) => frame(14, body({ i64: 0 }, { i64: 0 }, part, name)),
    {
      "of a directory": {
        reference: "21 open",
        why: "C sees that it is one; we see that it is no name",
      },
      "of the directory above": { reference: "21 open", why: "as the former" },
      "with a NUL behind it": { expect: "0+26 open" },
      "with a NUL and more behind it": { expect: "0+26 open" },
      "of 300 characters": { reference: "-", why: crashes },
    },
  ),
];

function info(name: string, status = 0): Buffer {
  return frame(22, body(group, name), { status });
}

export const infoRequests: readonly OddRequest[] = [
  { says: "file info", on: "normal", request: (name) => info(name), expect: "0+40 open" },
  {
    says: "file info of an empty file",
    on: "empty",
    request: (name) => info(name),
    expect: "0+40 open",
    leaves: "status 22",
  },
  {
    says: "file info of an appender file without CRC",
    on: "appender",
    request: (name) => info(name, 1),
    expect: "0+40 open",
  },
  {
    says: "file info with every flag",
    on: "normal",
    request: (name) => info(name, 255),
    expect: "0+40 open",
  },
  {
    says: "file info of a missing file",
    on: "missing",
    request: (name) => info(name),
    expect: "2 open",
    leaves: "status 2",
  },
  {
    says: "silent file info of a missing file",
    on: "missing",
    request: (name) => info(name, 2),
    expect: "2 open",
    leaves: "status 2",
  },
  { says: "file info without a body", on: "normal", request: () => frame(22), expect: invalid },
  {
    says: "file info with 15 bytes",
    on: "normal",
    request: () => frame(22, Buffer.alloc(15)),
    expect: invalid,
  },
  ...withOddNames("file info of", (part, name) => frame(22, body(part, name)), {
    "with a NUL behind it": { expect: "0+40 open" },
    "with a NUL and more behind it": { expect: "0+40 open" },
    "of 300 characters": { reference: "22 closed" },
  }),
];

export const deleteRequests: readonly OddRequest[] = [
  {
    says: "a deletion",
    on: "normal",
    request: (name) => frame(12, body(group, name)),
    expect: "0 open",
    leaves: "status 2",
  },
  {
    says: "a deletion of an empty file",
    on: "empty",
    request: (name) => frame(12, body(group, name)),
    expect: "0 open",
    leaves: "status 2",
  },
  {
    says: "a deletion of an appender file",
    on: "appender",
    request: (name) => frame(12, body(group, name)),
    expect: "0 open",
    leaves: "status 2",
  },
  {
    says: "a deletion of a file with metadata",
    on: "described",
    request: (name) => frame(12, body(group, name)),
    expect: "0 open",
    leaves: "status 2",
    leavesMetadata: "none",
  },
  {
    says: "a deletion of a master",
    on: "master",
    request: (name) => frame(12, body(group, name)),
    expect: "0 open",
    leaves: "status 2",
  },
  {
    says: "a deletion of a missing file",
    on: "missing",
    request: (name) => frame(12, body(group, name)),
    expect: "2 open",
    leaves: "status 2",
  },
  { says: "a deletion without a body", on: "normal", request: () => frame(12), expect: invalid },
  {
    says: "a deletion with 15 bytes",
    on: "normal",
    request: () => frame(12, Buffer.alloc(15)),
    expect: invalid,
  },
  {
    says: "a deletion of the metadata file",
    on: "described",
    request: (name) => frame(12, body(group, `${name}-m`)),
    expect: "0 open",
    leavesMetadata: "none",
  },
  ...withOddNames("a deletion of", (part, name) => frame(12, body(part, name)), {
    "with a NUL behind it": { leaves: "status 2" },
    "with a NUL and more behind it": { leaves: "status 2" },
  }),
];
