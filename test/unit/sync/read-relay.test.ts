/**
 * Goal: a read of what is on no disk here is had from a peer that is ACTIVE and has it, from one at most at a time, within a limit, and the
 * connection is of use afterwards; and where nobody gives it, the answer is the one of before. Method: peers as scripts behind a pool.
 */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { type ByteFlow, collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import type { ConnectionPool } from "#net/connection-pool.ts";
import { netError } from "#net/errors.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { maxRelays, relayAvoidMs, relayTryMs } from "#sync/limits.ts";
import { isOfDisk, ReadRelay } from "#sync/read-relay.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

const [source, other] = [StorageId("10.0.0.2"), StorageId("10.0.0.3")];
const refusal = fileStoreError("store-path-unready", "its disk is away");
const whole = { offset: 0, length: 0 };

interface Asked {
  readonly filename: string;
  readonly headerStatus?: number;
  readonly offset?: number;
  readonly length?: number;
}

class Stage {
  readonly files = new Map<string, Map<string, Buffer>>();
  readonly metadata = new Map<string, Buffer>();
  readonly statuses = new Map<StorageId, StorageStatus>();
  /** What a peer answers instead of anything else. */
  readonly troubles = new Map<string, Error | "silent">();
  readonly asked: string[] = [];
  readonly flags: (number | undefined)[] = [];
  readonly leases = { back: 0, dropped: 0, open: 0 };
  readonly clock = new ManualClock();
  readonly relay: ReadRelay;
  readonly name: string;

  constructor() {
    const pool = { lease: async ({ address }: { address: string }) => this.#lease(address) };
    this.name = new MemorySyncStore(source).upload(Buffer.from("hello"));
    for (const id of [source, other]) this.files.set(id, new Map());
    this.relay = new ReadRelay({
      ...{ clock: this.clock, log: new Log("test", () => {}), group: "group1" },
      pool: pool as unknown as ConnectionPool,
      sourceId: (named) => (named.kind === "address" ? StorageId(named.address) : named.id),
      peers: () =>
        [other, source].map((id) => {
          const status = this.statuses.get(id) ?? storageStatus.active;
          return { id, addresses: [id], port: 1, cairn: undefined, status };
        }),
      ...{ networkTimeoutMs: 1000, deadlineMs: 4 * relayTryMs },
    });
  }

  store(id: string, content: string, name = this.name): void {
    this.files.get(id)?.set(name, Buffer.from(content));
  }

  async read(range = whole, sizeInName?: number): Promise<string> {
    const how = { range, ...(sizeInName === undefined ? {} : { sizeInName }) };
    const { body } = await this.relay.open(this.name, how, refusal);
    return (await collect(flowOfSource(body))).toString();
  }

  #lease(address: string) {
    this.asked.push(address);
    const trouble = this.troubles.get(address);
    if (trouble instanceof Error && !(trouble instanceof WireStatusError)) throw trouble;
    this.leases.open += 1;
    let drop = (): void => {};
    let ended = false;
    const end = (how: "back" | "dropped"): void => {
      if (ended) return;
      ended = true;
      this.leases[how] += 1;
      this.leases.open -= 1;
      if (how === "dropped") drop();
    };
    const reach = async (request: Asked): Promise<Buffer> => {
      this.flags.push(request.headerStatus);
      if (trouble === "silent") {
        await new Promise<void>((_resolve, reject) => {
          drop = () => reject(netError("flow-broken", "closed here"));
        });
      }
      if (trouble instanceof Error) throw trouble;
      const found = this.files.get(address)?.get(request.filename);
      if (found === undefined) throw new WireStatusError(wireStatus.notFound, "none");
      return found;
    };
    const client = {
      timeoutMs: 0,
      call: async ({ name }: { readonly name: string }, request: Asked) => {
        if (name === "getMetadata") {
          this.flags.push(request.headerStatus);
          const text = this.metadata.get(address);
          if (text === undefined) throw new WireStatusError(wireStatus.notFound, "none");
          return { metadata: text };
        }
        const content = await reach(request);
        return { fileSize: content.length, modifiedAt: 5, crc32: 6, sourceAddress: "" };
      },
      download: async (_message: unknown, request: Asked): Promise<ByteFlow> => {
        const content = await reach(request);
        const { offset = 0, length = 0 } = request;
        if (offset > 0 && offset >= content.length) {
          throw new WireStatusError(wireStatus.invalid, "past the end");
        }
        return flowOfBytes(content.subarray(offset, length === 0 ? undefined : offset + length));
      },
    };
    return { client, reused: false, giveBack: () => end("back"), drop: () => end("dropped") };
  }
}

test("a range comes from the source of the file, which is asked for what it has itself", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  stage.store(other, "hello");
  expect(await stage.read({ offset: 1, length: 3 })).toBe("ell");
  expect(stage.asked).toEqual([source]);
  // Else two that both lack the disk would ask each other for ever.
  expect(stage.flags.length).toBe(2);
  expect(stage.flags.every((flags) => flags !== undefined && flags > 0)).toBe(true);
  expect(stage.leases).toEqual({ back: 1, dropped: 0, open: 0 });
  expect(stage.relay.counts).toEqual({ relayed: 1, failed: 0 });
});

test("where the name tells the size one exchange is enough, and a whole file has its facts", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  expect(await stage.read(whole, 5)).toBe("hello");
  expect(stage.flags.length).toBe(1);
  const opened = await stage.relay.open(stage.name, { range: whole }, refusal);
  expect(opened).toMatchObject({ sizeBytes: 5, modifiedSeconds: 5 });
  opened.body.close();
  expect(stage.leases).toEqual({ back: 1, dropped: 1, open: 0 });
  const facts = await stage.relay.facts(stage.name, { computeCrc: true }, refusal);
  expect(facts).toEqual({ sizeBytes: 5, modifiedSeconds: 5, crc32: 6 });
});

test("the next peer is asked where one does not have it, lacks the disk as well, or is away", async () => {
  for (const trouble of [
    new WireStatusError(wireStatus.tryAgain, "away there, too"),
    new WireStatusError(wireStatus.invalid, "no such store path"),
    netError("peer-unreachable", "gone"),
    undefined,
  ]) {
    const stage = new Stage();
    stage.store(other, "hello");
    if (trouble !== undefined) stage.troubles.set(source, trouble);
    expect(await stage.read()).toBe("hello");
    expect(stage.asked).toEqual([source, other]);
    expect(stage.leases.open).toBe(0);
  }
});

test("one that could not be reached comes last for a while", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  stage.store(other, "hello");
  stage.troubles.set(source, netError("peer-unreachable", "gone"));
  await stage.read();
  await stage.read();
  expect(stage.asked).toEqual([source, other, other]);
  stage.troubles.clear();
  stage.clock.advance(relayAvoidMs);
  await stage.read();
  expect(stage.asked.at(-1)).toBe(source);
});

test("one that does not answer is given up in time, and its connection with it", async () => {
  const stage = new Stage();
  stage.store(other, "hello");
  stage.troubles.set(source, "silent");
  const reading = stage.read();
  await new Promise((resolve) => setImmediate(resolve));
  stage.clock.advance(relayTryMs);
  expect(await reading).toBe("hello");
  expect(stage.leases).toEqual({ back: 1, dropped: 1, open: 0 });
});

test("who is not ACTIVE is not asked, and where nobody has it the answer is the one of before", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  stage.statuses.set(source, storageStatus.online);
  await expect(stage.read()).rejects.toBe(refusal);
  expect(stage.asked).toEqual([other]);
  await expect(stage.relay.facts(stage.name, { computeCrc: false }, refusal)).rejects.toBe(refusal);
  await expect(stage.relay.readMetadata(stage.name, refusal)).rejects.toBe(refusal);
  expect(stage.relay.counts).toEqual({ relayed: 0, failed: 3 });
  expect(stage.leases.open).toBe(0);
});

test("a range behind the end is refused as it is here, and an empty file is one", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  const behind = { offset: 5, length: 0 };
  await expect(stage.read(behind)).rejects.toMatchObject({ code: "file-invalid" });
  await expect(stage.read(behind, 5)).rejects.toMatchObject({ code: "file-invalid" });
  expect(stage.asked).toEqual([source, source]);
  stage.store(source, "");
  const opened = await stage.relay.open(stage.name, { range: whole, emptyIsFine: true }, refusal);
  expect(opened).toMatchObject({ sizeBytes: 0, body: { length: 0 } });
  expect(stage.leases).toEqual({ back: 3, dropped: 0, open: 0 });
});

test("metadata comes from a peer; who has the file and none of it knows that there is none", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  const missing = stage.relay.readMetadata(stage.name, refusal);
  await expect(missing).rejects.toMatchObject({ code: "file-missing" });
  expect(stage.asked).toEqual([source]);
  stage.metadata.set(source, Buffer.from("a\x021"));
  expect(String(await stage.relay.readMetadata(stage.name, refusal))).toBe("a\x021");
});

test("no more than a number of reads are under way; each that ends makes room", async () => {
  const stage = new Stage();
  stage.store(source, "hello");
  const open = () => stage.relay.open(stage.name, { range: whole }, refusal);
  const opened = await Promise.all(Array.from({ length: maxRelays }, open));
  await expect(open()).rejects.toBe(refusal);
  opened[0]?.body.close();
  const last = await open();
  for (const { body } of [...opened, last]) body.close();
  expect(stage.leases.open).toBe(0);
});

test("a failure of the disk is one, a missing file is none", () => {
  expect(isOfDisk(fileStoreError("disk-failed", "EIO"))).toBe(true);
  expect(isOfDisk(fileStoreError("store-path-offline", "gone"))).toBe(true);
  expect(isOfDisk(fileStoreError("file-missing", "none"))).toBe(false);
});
