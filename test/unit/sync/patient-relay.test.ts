/** Reads while a store path is switched: a peer is asked first, then the path itself when it is back. */
import { expect, test } from "vitest";
import { BriefAbsences } from "#filestore/brief-absences.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import type { Relay } from "#sync/fetching-file-store.ts";
import { PatientRelay } from "#sync/patient-relay.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";
import { turns } from "../../support/settled.ts";

const refusal = fileStoreError("store-path-unready", "it is being switched");
const whole = { range: { offset: 0, length: 0 } };

async function stage() {
  const [here, peer] = [new MemoryFileStore(), new MemoryFileStore()];
  const absences = new BriefAbsences(new ManualClock());
  const relayTo = (read: (error: unknown) => Promise<never>): Relay => ({
    open: (name, { range }, error) => peer.open(name, range).catch(() => read(error)),
    facts: (name, options, error) => peer.facts(name, options).catch(() => read(error)),
    readMetadata: (name, error) => peer.readMetadata(name).catch(() => read(error)),
  });
  const relay = new PatientRelay(
    relayTo((error) => Promise.reject(error)),
    here,
    absences,
  );
  const request = { kind: "normal", extension: "txt", storePathIndex: undefined } as const;
  const upload = async (store: MemoryFileStore, text: string): Promise<string> => {
    const name = await store.upload(request, flowOfBytes(Buffer.from(text)));
    await store.writeMetadata(name, "overwrite", Buffer.from(`text\x02${text}`));
    return name;
  };
  const reads = async (name: string): Promise<readonly string[]> => {
    const [opened, facts, metadata] = await Promise.all([
      relay.open(name, whole, refusal),
      relay.facts(name, { computeCrc: false }, refusal),
      relay.readMetadata(name, refusal),
    ]);
    const piece = await opened.body.next();
    return [piece?.bytes.length, facts.sizeBytes, Buffer.from(metadata)].map(String);
  };
  return { here, peer, absences, relay, upload, reads };
}

test("what a peer has comes from there at once, also while the path is away", async () => {
  const { peer, absences, upload, reads } = await stage();
  const name = await upload(peer, "there");
  absences.begin(0);
  expect(await reads(name)).toEqual(["5", "5", "text\x02there"]);
});

test("what no peer has is read when the path is back, and refused where it does not come back by itself", async () => {
  const { here, absences, upload, reads } = await stage();
  const name = await upload(here, "here");
  here.failure = refusal;
  await expect(reads(name)).rejects.toBe(refusal);
  absences.begin(0);
  const reading = reads(name);
  await turns(4);
  here.failure = undefined;
  absences.end(0);
  expect(await reading).toEqual(["4", "4", "text\x02here"]);
});

test("who met the fault of a disk is told of that, not of the quarantine it led to", async () => {
  const { here, relay, upload } = await stage();
  const name = await upload(here, "here");
  here.failure = refusal;
  const fault = fileStoreError("disk-failed", "it does not answer");
  await expect(relay.open(name, whole, fault)).rejects.toBe(fault);
  await expect(relay.facts(name, { computeCrc: false }, fault)).rejects.toBe(fault);
  await expect(relay.readMetadata(name, fault)).rejects.toBe(fault);
});
