import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { aliveCheckPeriodMs, aliveSilenceMs } from "#tracker/limits.ts";
import { Liveness } from "#tracker/liveness.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import { newTrackerFacts, type TrackerFacts } from "#tracker/tracker-facts.ts";
import {
  addStorage,
  type RegistryHarness,
  registryHarness,
} from "../../support/tracker-registry.ts";

const { active, offline, waitSync } = storageStatus;

interface Stage extends RegistryHarness {
  readonly liveness: Liveness;
  readonly storage: StorageRecord;
  readonly facts: TrackerFacts;
  /** Lets time pass, with a check as often as the tracker makes one. */
  readonly pass: (ms: number) => void;
}

/** A storage that is active since now, and tells what it holds unless it is one of C's. */
function stage(reportsHeld = true): Stage {
  const harness = registryHarness();
  const { clock, registry } = harness;
  const liveness = new Liveness({ clock, registry, checkActiveIntervalMs: 100_000 });
  const storage = addStorage(registry, "10.0.0.1");
  const facts = { ...newTrackerFacts(), storage };
  storage.session = facts;
  storage.reportsHeld = reportsHeld;
  storage.heardAtMs = clock.monotonicMs();
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += aliveCheckPeriodMs) {
      clock.seconds += aliveCheckPeriodMs / 1000;
      liveness.checkMessages();
      liveness.checkBeats();
    }
  };
  liveness.heard(facts);
  liveness.checkMessages();
  return { ...harness, liveness, storage, facts, pass };
}

test("a storage of ours is away after four seconds without a message, and within five", () => {
  const { storage, pass } = stage();
  pass(aliveSilenceMs);
  expect(storage.status).toBe(active);
  pass(aliveCheckPeriodMs);
  expect(storage.status).toBe(offline);
  expect(aliveSilenceMs + aliveCheckPeriodMs).toBeLessThan(5000);
});

test("any message keeps it, and brings it back; what it holds must be told anew", () => {
  const { storage, liveness, facts, pass } = stage();
  storage.dialect = "cairn";
  storage.held = new Map([[1, 2]]);
  for (let second = 0; second < 10; second += 1) {
    pass(1000);
    liveness.heard(facts);
  }
  expect([storage.status, storage.held.size]).toEqual([active, 1]);
  pass(5000);
  liveness.heard(facts);
  expect([storage.status, storage.held.size]).toEqual([active, 0]);
});

test("a message on a session that does not speak for the storage any more is none of it", () => {
  const { storage, liveness, facts, pass } = stage();
  pass(3000);
  liveness.heard({ ...facts });
  pass(2000);
  expect(storage.status).toBe(offline);
});

test("what is being filled stays what it is", () => {
  const { storage, registry, liveness, facts, pass } = stage();
  registry.apply(storage, { name: "told", status: waitSync });
  pass(10_000);
  liveness.heard(facts);
  expect(storage.status).toBe(waitSync);
});

test("of a storage of C beats count, in the original's interval", () => {
  const { storage, liveness, facts, pass } = stage(false);
  pass(100_000);
  expect(storage.status).toBe(active);
  pass(1000);
  expect(storage.status).toBe(offline);
  liveness.heard(facts);
  expect(storage.status).toBe(offline);
});

test("a tracker that stood still does not take the storages for silent whose messages wait", () => {
  const { storage, liveness, clock, pass } = stage();
  clock.seconds += 60;
  liveness.checkMessages();
  pass(aliveSilenceMs - 500);
  expect(storage.status).toBe(active);
  pass(1000);
  expect(storage.status).toBe(offline);
});
