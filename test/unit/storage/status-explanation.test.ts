/**
 * Goal: whoever waits for a status to change is told for what, and what to do. Method: each status in the situations that keep it from
 * moving; the sentences are compared by the words that matter.
 */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import {
  readWriteMode,
  type StorageStatus,
  type StorageStatusName,
  storageStatus,
} from "#model/storage-status.ts";
import type { Peer } from "#storage/peer-directory.ts";
import { explainStatus, type StatusFacts } from "#storage/status-explanation.ts";
import type { OwnState } from "#storage/storage-status-machine.ts";

const now = 1_700_010_000;
const joined = { tracker: "10.0.0.1:22122", state: "joined", problem: "", since: now - 500 };
const lost = { ...joined, state: "connecting", problem: "cannot reach it", since: now - 90 };
const source = StorageId("100002");

function peer(status: StorageStatus, id = source): Peer {
  return {
    ...{ id, addresses: ["10.0.0.2"], formerAddresses: [], port: 23000, status, sinceMs: 5 },
    ...{ mode: readWriteMode.both, cairn: true },
  };
}

function explained(
  name: StorageStatusName,
  given: Partial<Omit<StatusFacts, "own">> & { readonly own?: Partial<OwnState> } = {},
): string | undefined {
  const own = { settled: true, source: undefined, until: 0, filled: true, ...given.own };
  return explainStatus({
    ...{ since: now - 300, now, trackers: [joined], hasLeader: true, peers: [] },
    peerAge: () => 7200,
    fillProgress: "",
    sourcePatienceMs: 120_000,
    ...given,
    own: { ...own, status: storageStatus[name] },
  });
}

test("a storage in service has nothing to explain, unless nobody leads the trackers", () => {
  expect(explained("active")).toBeUndefined();
  expect(explained("active", { hasLeader: false })).toContain("No tracker leads");
});

test("without trackers each of them is named with what is wrong, and that files are served", () => {
  for (const name of ["none", "offline", "init"] as const) {
    const text = explained(name, { trackers: [lost] });
    expect(text, name).toContain("10.0.0.1:22122: cannot reach it, for 90 s");
    expect(text, name).toContain("Files are served");
  }
  expect(explained("none", { trackers: [] })).toContain("storage.trackers");
});

test("a new storage that nobody can fill says who is there and why they cannot", () => {
  const own = { settled: false, filled: false };
  expect(explained("init", { own })).toContain("no other one is known");
  const peers = [
    peer(storageStatus.offline),
    peer(storageStatus.deleted, StorageId("100003")),
    peer(storageStatus.waitSync, StorageId("100004")),
  ];
  const text = explained("init", { own, peers });
  expect(text).toContain("100002 (10.0.0.2) is OFFLINE for 2 h");
  expect(text).toContain("100004 (10.0.0.2) is WAIT_SYNC");
  expect(text).not.toContain("100003");
  expect(explained("init", { own, peers: [peer(storageStatus.active)] })).toContain("choose");
});

test("a storage that waits for its source says what that one is doing, and what helps", () => {
  const own = { source, filled: false };
  const away = explained("waitSync", { own, peers: [peer(storageStatus.offline)] });
  expect(away).toContain("waits for 100002 (10.0.0.2) to send what the group has, for 5 min");
  expect(away).toContain("it is OFFLINE for 2 h. Start it: there is no other storage");
  const replaced = [peer(storageStatus.offline), peer(storageStatus.active, StorageId("100003"))];
  expect(explained("waitSync", { own, peers: replaced })).toContain(
    "it is OFFLINE for 2 h. Start it; if it stays away for 2 min, another one takes its place",
  );
  const idle = explained("waitSync", { own, peers: [peer(storageStatus.active)] });
  expect(idle).toContain("has not begun. Check that it can connect");
  expect(explained("waitSync", { own })).toContain("do not list that one");
  expect(explained("waitSync", { own: { filled: false } })).toContain("trackers have chosen");
});

test("a storage that is being filled says by whom, how far, and when that one has gone", () => {
  const own = { source, filled: false };
  const peers = [peer(storageStatus.active)];
  const text = explained("syncing", { own, peers, fillProgress: "1,200 files" });
  expect(text).toContain("filled by 100002 (10.0.0.2) for 5 min (1,200 files)");
  expect(text).not.toContain("delete");
  const away = explained("syncing", { own, peers: [peer(storageStatus.offline)] });
  expect(away).toContain("But that one is OFFLINE for 2 h. Start it");
});

test("steps that take a moment are explained when they take longer", () => {
  for (const name of ["offline", "online"] as const) {
    expect(explained(name, { since: now - 5 }), name).toBeUndefined();
    expect(explained(name), name).toContain("It has waited for 5 min.");
    expect(explained(name, { hasLeader: false }), name).toContain("No tracker leads");
  }
});

test("each other status has its sentence", () => {
  expect(explained("recovery")).toContain("rebuilt");
  expect(explained("deleted")).toContain("deleted from its group");
  expect(explained("ipChanged")).toContain("another address");
});

test("a source whose age and address are not known is named by its id", () => {
  const nameless = { ...peer(storageStatus.offline), addresses: [] };
  const facts = { own: { source, filled: false }, peers: [nameless], peerAge: () => undefined };
  expect(explained("waitSync", facts)).toContain("it is OFFLINE. Start it");
  expect(explained("waitSync", { ...facts, since: now - 300_000 })).toContain("for 3 days");
});
