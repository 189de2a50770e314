/** Odd requests to a tracker (protocol §2.2 to §2.4). */
import { frame } from "../../support/raw-connection.ts";
import { body } from "../../support/wire-bytes.ts";
import { group, type OddRequest } from "./odd-request.ts";

const invalid = "22 open";
const missing = "2 open";
const other = ["group2", 16] as const;

type Expected = string | Pick<OddRequest, "expect" | "reference" | "why">;

function row(says: string, request: Buffer, expected: Expected): OddRequest {
  const expectations = typeof expected === "string" ? { expect: expected } : expected;
  return { says, on: "nothing", request: () => request, ...expectations };
}

const fileName = "M00/00/00/fwAAAmsDp0SAPyevAAAAGkwnUL0202.txt";
const groupField = body(group);

const framing: readonly OddRequest[] = [
  row("ACTIVE_TEST", frame(111), "0 open"),
  row("ACTIVE_TEST with a body", frame(111, Buffer.from("x")), invalid),
  row("QUIT", frame(82), "closed"),
  row("QUIT with a body", frame(82, Buffer.from("bye")), "closed"),
  ...[0, 1, 11, 57, 80, 99, 100, 110, 112, 255].map((command) =>
    row(`command ${command}, which no tracker knows`, frame(command), invalid),
  ),
  row("an unknown command with a body", frame(99, Buffer.alloc(100)), invalid),
  row("a length of -1", frame(111, undefined, { length: -1 }), "closed"),
  row("a length of 2^62", frame(101, undefined, { length: 2n ** 62n }), {
    expect: "closed",
    reference: "0+40 open",
    why: "C cuts the length to 32 bits, which leaves 0",
  }),
  row("a body of 300 KiB", frame(104, Buffer.alloc(300 * 1024)), "closed"),
  row("nine of the ten bytes of a header", frame(101).subarray(0, 9), "waits"),
];

const storeQueries: readonly OddRequest[] = [
  row("101 with a body", frame(101, groupField), invalid),
  row("106 with a body", frame(106, groupField), invalid),
  ...[104, 107].flatMap((command) => [
    row(`${command} without a group`, frame(command), invalid),
    row(`${command} with 15 bytes`, frame(command, Buffer.alloc(15, "g")), invalid),
    row(`${command} with 17 bytes`, frame(command, Buffer.alloc(17, "g")), invalid),
    row(`${command} of an unknown group`, frame(command, body(other)), missing),
    row(`${command} of an empty group`, frame(command, Buffer.alloc(16)), missing),
    row(`${command} of a group of 16 letters`, frame(command, Buffer.alloc(16, "g")), missing),
    row(`${command} of a group with a slash`, frame(command, body(["a/b", 16])), missing),
  ]),
  row("101", frame(101), "0+40 open"),
  row("104", frame(104, groupField), "0+40 open"),
  row("104 with garbage behind the group", frame(104, body("group1\0garbage!!")), "0+40 open"),
  row("106", frame(106), "0+40 open"),
  row("107", frame(107, groupField), "0+40 open"),
];

const fetchQueries: readonly OddRequest[] = [102, 103, 105].flatMap((command) => [
  row(`${command}`, frame(command, body(group, fileName)), "0+39 open"),
  row(`${command} without a body`, frame(command), invalid),
  row(`${command} without a name`, frame(command, groupField), invalid),
  row(
    `${command} of a name of 21 characters`,
    frame(command, body(group, fileName.slice(0, 21))),
    invalid,
  ),
  row(
    `${command} of a name of 22 characters`,
    frame(command, body(group, fileName.slice(0, 22))),
    "0+39 open",
  ),
  row(
    `${command} of a name of 127 characters`,
    frame(command, body(group, fileName.padEnd(127, "x"))),
    "0+39 open",
  ),
  row(
    `${command} of a name of 128 characters`,
    frame(command, body(group, fileName.padEnd(128, "x"))),
    invalid,
  ),
  row(`${command} of an unknown group`, frame(command, body(other, fileName)), missing),
  row(`${command} of an empty group`, frame(command, body(["", 16], fileName)), missing),
  row(
    `${command} of a name that is none`,
    frame(command, body(group, "x".repeat(44))),
    "0+39 open",
  ),
  row(`${command} of NULs`, frame(command, body(group, "\0".repeat(44))), "0+39 open"),
  row(
    `${command} of a name above the store path`,
    frame(command, body(group, "M00/../../../../etc/passwd")),
    "0+39 open",
  ),
  row(
    `${command} of a path that nobody has`,
    frame(command, body(group, `MFF${fileName.slice(3)}`)),
    "0+39 open",
  ),
]);

const administration: readonly OddRequest[] = [
  row("90", frame(90, groupField), "0+113 open"),
  row("90 without a group", frame(90), invalid),
  row("90 with 17 bytes", frame(90, Buffer.alloc(17)), invalid),
  row("90 of an unknown group", frame(90, body(other)), missing),
  row("91", frame(91), "0+113 open"),
  row("91 with a body", frame(91, groupField), invalid),
  row("92", frame(92, groupField), "0+487 open"),
  row("92 without a body", frame(92), invalid),
  row("92 with 15 bytes", frame(92, Buffer.alloc(15)), invalid),
  row("92 of an unknown group", frame(92, body(other)), missing),
  row("92 of an unknown storage", frame(92, body(group, "10.9.8.7")), missing),
  row("92 of a storage of 15 characters", frame(92, body(group, "100.100.100.100")), missing),
  row("92 of a storage of 16 characters", frame(92, body(group, "1000.100.100.100")), invalid),
  row("93 without a storage", frame(93, groupField), invalid),
  row("93 without a body", frame(93), invalid),
  row("93 of an unknown group", frame(93, body(other, "10.9.8.7")), missing),
  row("93 of an unknown storage", frame(93, body(group, "10.9.8.7")), missing),
  row("93 of a storage of 16 characters", frame(93, body(group, "1000.100.100.100")), invalid),
  row("108 of an unknown group", frame(108, body(other)), missing),
  row("108 of a group with a storage", frame(108, groupField), "16 open"),
  row("108 without a group", frame(108), invalid),
  row("94 without trunk files", frame(94, groupField), "95 open"),
  row("94 without a body", frame(94), invalid),
  row("95 with a body", frame(95, Buffer.from("x")), invalid),
  row("96 with 2 bytes", frame(96, Buffer.alloc(2)), invalid),
  row("96 with 4 bytes", frame(96, Buffer.alloc(4)), invalid),
  row("97 with 3 bytes", frame(97, Buffer.alloc(3)), invalid),
  row("97 that matches nothing", frame(97, body(2, "?", 7, 0)), "0+6 open"),
  row("98 with 3 bytes", frame(98, Buffer.alloc(3)), invalid),
  row("98 that matches nothing", frame(98, body(1, 0, 0, 0)), "0+5 open"),
];

/** What storages ask, asked by somebody who has not joined. */
const reports: readonly OddRequest[] = [
  row("a beat of somebody who has not joined", frame(83), "13 open"),
  row("a disk report of somebody who has not joined", frame(84, Buffer.alloc(16)), "13 open"),
  row("a sync report of somebody who has not joined", frame(89, Buffer.alloc(20)), "13 open"),
  row("79 of somebody who has not joined", frame(79), {
    expect: "13 open",
    reference: "-",
    why: "C does not look whether the peer has joined, and crashes",
  }),
  row("85 of somebody who has not joined", frame(85), {
    expect: invalid,
    reference: "13 open",
    why: "we look at the body first; nobody who has joined sends it like this",
  }),
  row("87 of somebody who has not joined", frame(87), "13 open"),
  row("88 of somebody who has not joined", frame(88), invalid),
  row("72 of somebody who has not joined", frame(72), "13 open"),
  row("73 of somebody who has not joined", frame(73, Buffer.alloc(4)), "13 open"),
  row("74 of somebody who has not joined", frame(74, Buffer.alloc(8)), "13 open"),
  row("59 of somebody who has not joined", frame(59, Buffer.alloc(1)), "13 open"),
  row("a join without a body", frame(81), invalid),
  row("a join of NULs", frame(81, Buffer.alloc(160)), invalid),
  row("60 without a body", frame(60), invalid),
  row("70 without a body", frame(70), invalid),
  row("71 without a body", frame(71), invalid),
  row("76 without a body", frame(76), invalid),
  row("78 without a body", frame(78), invalid),
  row("77 without a body", frame(77), {
    expect: "13 open",
    reference: invalid,
    why: "the short form of a storage that has joined, which this is not",
  }),
  row("86 without a body", frame(86), invalid),
  row("69 with 3 bytes", frame(69, Buffer.alloc(3)), invalid),
  row("109 without a body, and without storage ids", frame(109), {
    expect: invalid,
    reference: "95 open",
    why: "we look at the body first",
  }),
  row("63 without a body", frame(63), invalid),
  row("66 without a body", frame(66), invalid),
  row("67 without a body", frame(67), invalid),
  row("58 without a body", frame(58), invalid),
];

export const trackerRequests: readonly OddRequest[] = [
  ...framing,
  ...storeQueries,
  ...fetchQueries,
  ...administration,
  ...reports,
];
