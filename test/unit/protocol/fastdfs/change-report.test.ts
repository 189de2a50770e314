import { expect, test } from "vitest";
import { changeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

const brief = body(7, { i32: 23000 }, ["10.9.0.2", 16], ["10.9.0.2", 46]);
const storage = { status: 7, port: 23000, id: "10.9.0.2", address: "10.9.0.2" } as never;

test("nothing changed is one byte", () => {
  expect(encoded(changeReport, noChanges)).toEqual(body(0));
  expect(decoded(changeReport, body(0))).toEqual(noChanges);
});

test("leader, trunk server and members follow in this order", () => {
  const leader = body(0, { i32: 22122 }, ["10.9.0.1", 16], ["10.9.0.1", 46]);
  const bytes = Buffer.concat([body(7), leader, brief, brief, brief]);
  const report = {
    leader: { address: "10.9.0.1", port: 22122 },
    trunkServer: storage,
    members: [storage, storage],
  };
  expect(decoded(changeReport, bytes)).toEqual(report);
  expect(encoded(changeReport, report)).toEqual(bytes);
});

test("zeros say that there is none", () => {
  const bytes = Buffer.concat([body(3), Buffer.alloc(134)]);
  const report = { leader: "none", trunkServer: "none", members: undefined } as const;
  expect(decoded(changeReport, bytes)).toEqual(report);
  expect(encoded(changeReport, report)).toEqual(bytes);
});

test("an IPv6 leader repeats as much of its address as the id has room for", () => {
  const address = "fd00:1234:5678:9abc::1";
  const report = { ...noChanges, leader: { address, port: 22122 } };
  const bytes = encoded(changeReport, report);
  expect(bytes.subarray(6, 22).toString()).toBe("fd00:1234:5678:\0");
  expect(decoded(changeReport, bytes)).toEqual(report);
});

test("a trunk server of unknown status, and a member cut off, are refused", () => {
  const strange = Buffer.concat([body(2), brief]);
  strange[1] = 8;
  expect(() => decoded(changeReport, strange)).toThrow('"10.9.0.2" with status 8 is no storage');
  expect(() => decoded(changeReport, Buffer.concat([body(4), brief.subarray(1)]))).toThrow(
    "missing",
  );
  expect(() => decoded(changeReport, body())).toThrow("missing");
});
