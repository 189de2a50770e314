/** Odd headers, and commands that a storage does not know. */
import { frame } from "../../support/raw-connection.ts";
import { body } from "../../support/wire-bytes.ts";
import { group, type OddRequest } from "./odd-request.ts";

const nothing = { on: "nothing" } as const;

export const framingRequests: readonly OddRequest[] = [
  {
    ...nothing,
    says: "ACTIVE_TEST",
    request: () => frame(111),
    expect: "0 open",
  },
  {
    ...nothing,
    says: "ACTIVE_TEST with a body",
    request: () => frame(111, Buffer.from("x")),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "ACTIVE_TEST with a status",
    request: () => frame(111, undefined, { status: 5 }),
    expect: "0 open",
  },
  {
    ...nothing,
    says: "QUIT",
    request: () => frame(82),
    expect: "closed",
  },
  {
    ...nothing,
    says: "QUIT with a body",
    request: () => frame(82, Buffer.from("bye")),
    expect: "closed",
  },
  ...[0, 1, 8, 10, 39, 41, 99, 100, 110, 112, 200, 255].map((command) => ({
    ...nothing,
    says: `command ${command}, which nobody knows`,
    request: () => frame(command),
    expect: "22 open",
  })),
  {
    ...nothing,
    says: "an unknown command with a body",
    request: () => frame(99, Buffer.alloc(100)),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "a command of the tracker",
    request: () => frame(101),
    expect: "22 open",
  },
  {
    ...nothing,
    says: "a length of -1",
    request: () => frame(111, undefined, { length: -1 }),
    expect: "closed",
  },
  {
    ...nothing,
    says: "the most negative length",
    request: () => frame(12, undefined, { length: -(2n ** 63n) }),
    expect: "closed",
  },
  {
    ...nothing,
    says: "a length of 2^62 for a command that has a short body",
    request: () => frame(12, undefined, { length: 2n ** 62n }),
    expect: "22 closed",
    reference: "waits",
    why: "C cuts the length to 32 bits and takes this one for a body that is to come",
  },
  {
    ...nothing,
    says: "a body of 300 KiB for a command that has a short one",
    request: () => frame(12, Buffer.alloc(300 * 1024)),
    expect: "22 closed",
  },
  {
    ...nothing,
    says: "nine of the ten bytes of a header",
    request: () => frame(111).subarray(0, 9),
    expect: "waits",
  },
  {
    ...nothing,
    says: "a length of one byte more than is sent",
    request: () => frame(12, body(group, "M00/00/00/x"), { length: 28 }),
    expect: "waits",
  },
];
