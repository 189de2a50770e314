import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatIdentity, openIdentity, parseIdentity } from "#daemon/node-identity.ts";
import { finishRestore, type StateSource, stageRestore } from "#daemon/state-restore.ts";
import { formatStateCopy } from "#disks/state-copy.ts";
import type { NodeId } from "#model/node-id.ts";
import { nodeHost } from "#platform/node/node-host.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { seededRandom } from "../../support/seeded-random.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cairn-restore-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const identity = formatIdentity(new Uint8Array(32).fill(7));
const nodeId = parseIdentity(identity)?.id as NodeId;
const otherId = parseIdentity(formatIdentity(new Uint8Array(32)))?.id as NodeId;

function source(place: string, bytes: Uint8Array | undefined): StateSource {
  return {
    place,
    copyTo: async (path) => {
      if (bytes === undefined) throw new Error("there is none");
      writeFileSync(path, bytes);
    },
  };
}

function copyOf(sequence: number, state: string, id = nodeId): Uint8Array {
  const content = Buffer.from(state);
  return formatStateCopy({ nodeId: id, sequence, writtenAt: 5, identity, state: content });
}

test("the newest whole copy of the node is put in the place of what the new card has", async () => {
  const host = nodeHost();
  const { log, records } = collectedLog();
  const world = { host, dataDirectory: folder, log };
  openIdentity(host, seededRandom(1), folder);
  for (const name of ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"]) {
    writeFileSync(join(folder, name), "fresh");
  }
  const newest = copyOf(9, "newest");
  const staged = await stageRestore(
    [
      source("a", copyOf(3, "older")),
      source("b", undefined),
      source("c", newest.subarray(0, -1)),
      source("d", copyOf(99, "another node's", otherId)),
      source("e", copyOf(8, "newer")),
    ],
    nodeId,
    world,
  );
  expect(staged.sequence).toBe(8);
  expect(readFileSync(join(folder, "state.sqlite"), "utf8")).toBe("fresh");
  finishRestore(host, folder, log);
  expect(readFileSync(join(folder, "state.sqlite"), "utf8")).toBe("newer");
  expect(readFileSync(join(folder, "identity.json"), "utf8")).toBe(identity);
  expect([...host.listDirectory(folder)]).toEqual(["identity.json", "state.sqlite"]);
  expect(records.map(({ event }) => event)).toEqual([
    ...["state-copy-unusable", "state-copy-unusable", "state-copy-unusable", "state-restored"],
  ]);
  finishRestore(host, folder, log);
  expect(records.length).toBe(4);
});

test("a restore that was interrupted is done by the next start", async () => {
  const host = nodeHost();
  const { log } = collectedLog();
  await stageRestore([source("a", copyOf(1, "state"))], nodeId, {
    host,
    dataDirectory: folder,
    log,
  });
  // As a kill right after the database was put in its place leaves it.
  writeFileSync(join(folder, "state.sqlite"), "state");
  finishRestore(host, folder, log);
  expect([...host.listDirectory(folder)]).toEqual(["identity.json", "state.sqlite"]);
});

test("without a good copy nothing is changed, and it is said what to do instead", async () => {
  const host = nodeHost();
  const world = { host, dataDirectory: folder, log: collectedLog().log };
  const none = stageRestore([source("a", undefined), source("b", Buffer.from("x"))], nodeId, world);
  await expect(none).rejects.toMatchObject({
    code: "state-copy-missing",
    message: expect.stringContaining("cairn disk adopt"),
  });
  expect(host.listDirectory(folder)).toEqual([]);
});
