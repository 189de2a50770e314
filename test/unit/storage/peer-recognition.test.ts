import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { Peer } from "#storage/peer-directory.ts";
import { type RecognitionFacts, recognizePeer } from "#storage/peer-recognition.ts";

const { active, online, offline, ipChanged, deleted } = storageStatus;

function peer(status: StorageStatus): Peer {
  return {
    ...{ id: StorageId("10.0.0.2"), addresses: [], formerAddresses: [], port: 23000, status },
    ...{ sinceMs: 5, mode: readWriteMode.both, cairn: true, disk: "d2" },
  };
}

function kind(given: Partial<RecognitionFacts>): string {
  const facts = { id: "10.0.0.9", disk: "d2", ownDisk: "d1", former: peer(offline) };
  return recognizePeer({ ...facts, isFormerHeard: false, ...given }).kind;
}

test("who comes with the disk of one that is not in service any more is that one", () => {
  for (const status of [offline, ipChanged, deleted]) {
    expect(kind({ former: peer(status) }), String(status)).toBe("moved");
  }
});

test("while trackers have the former one in service it is waited, unless both are there", () => {
  for (const status of [active, online]) {
    expect(kind({ former: peer(status) })).toBe("unclear");
    expect(kind({ former: peer(status), isFormerHeard: true })).toBe("copy");
  }
});

test("nobody is somebody else without a disk, with ours, or where the disk is new or its own", () => {
  expect([
    kind({ disk: "" }),
    kind({ disk: "d1", ownDisk: "d1" }),
    kind({ former: undefined }),
    kind({ id: "10.0.0.2" }),
  ]).toEqual(["itself", "itself", "itself", "itself"]);
});
