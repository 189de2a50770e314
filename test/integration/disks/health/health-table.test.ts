/** What is kept of disks and bridges, in a real database. */
import { expect, test } from "vitest";
import {
  freshRecord,
  type HealthRecord,
  HealthTable,
  healthKey,
  maxRememberedDisks,
} from "#disks/health/health-table.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { diskHealth } from "#state/migrations/0010-disk-health.ts";
import { smartVectorFacts } from "../../../support/smart-vectors.ts";

function stage() {
  const database = nodeDatabases().open(":memory:");
  database.execute(diskHealth.sql);
  return { database, table: new HealthTable(database) };
}

test("what a disk told comes back whole", () => {
  using database = stage().database;
  const table = new HealthTable(database);
  const finding = { code: "pending", grade: "watch", reason: "a", advice: "b", since: 1, seen: 2 };
  const record: HealthRecord = {
    seenAt: 100,
    smart: { at: 90, facts: smartVectorFacts("documented-ata-failing") },
    samples: [{ at: 50, reallocated: 1 }],
    judgement: { verdict: "watch", since: 1, findings: [{ ...finding, grade: "watch" }] },
    shortTestAt: 7,
    longTestAt: undefined,
  };
  table.write("wwn:1", record);
  expect(table.read("wwn:1")).toEqual(record);
  expect(table.read("wwn:2")).toBeUndefined();
});

test("what is not understood is as if it were not there", () => {
  using database = stage().database;
  const table = new HealthTable(database);
  for (const text of ["{", "7", '{"verdict":"splendid"}']) {
    database
      .prepare("INSERT OR REPLACE INTO disk_health VALUES ('a', 5, 4, ?, ?, ?, NULL, 3)")
      .run(text, text, text);
    expect(table.read("a")).toEqual({ ...freshRecord(5), longTestAt: 3 });
  }
  database.prepare("INSERT INTO disk_bridges VALUES ('b', 'magic', 'sat magic', 1)").run();
  expect(table.of("b")).toEqual({ type: undefined, hung: ["sat"], triedAt: 1 });
});

test("disks that were not seen for longest are forgotten", () => {
  using database = stage().database;
  const table = new HealthTable(database);
  for (let at = 0; at <= maxRememberedDisks; at += 1) table.write(`d${at}`, freshRecord(at));
  expect([table.read("d0"), table.read("d1")?.seenAt]).toEqual([undefined, 1]);
});

test("a bridge's way is remembered, with those at which it hung", () => {
  using database = stage().database;
  const table = new HealthTable(database);
  const note = { type: "sat", hung: ["sat,12", "usbjmicron"], triedAt: 9 } as const;
  table.note("usb:152d:0578", note);
  expect(table.of("usb:152d:0578")).toEqual(note);
  table.note("usb:152d:0578", { type: undefined, hung: [], triedAt: 10 });
  expect(table.of("usb:152d:0578")).toEqual({ type: undefined, hung: [], triedAt: 10 });
  expect(table.of("usb:1:2")).toBeUndefined();
});

test("a disk is known by what it carries itself, never by what a bridge says for all of its disks", () => {
  const none = { wwn: undefined, model: undefined, serial: undefined, bridge: undefined };
  const bridge = { vendorId: "152d", productId: "0578", name: undefined, hidesSerial: true };
  const smart = { model: "WD", serial: "S1" };
  expect([
    healthKey({ ...none, wwn: "0x5000C500A1", serial: "S1" }, undefined),
    healthKey({ ...none, model: "WD", serial: "S1" }, undefined),
    healthKey({ ...none, wwn: "0xbad", serial: "123456789012", bridge }, smart),
    healthKey({ ...none, wwn: "0xbad", serial: "123456789012", bridge }, undefined),
    healthKey(none, undefined),
  ]).toEqual(["wwn:0x5000c500a1", "serial:WD/S1", "serial:WD/S1", undefined, undefined]);
});
