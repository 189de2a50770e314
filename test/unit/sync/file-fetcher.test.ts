import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { slaveName } from "#model/file-base.ts";
import { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import type { ConnectionPool } from "#net/connection-pool.ts";
import { netError } from "#net/errors.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { fetchedHead } from "#protocol/peer/sync-record.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { FileFetcher } from "#sync/file-fetcher.ts";
import { HeldPositions } from "#sync/held-positions.ts";
import { Tombstones } from "#sync/tombstones.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

const [source, other] = [StorageId("10.0.0.2"), StorageId("10.0.0.3")];

/** This storage is 10.0.0.1; what each peer has, or that it is away. */
class Stage {
  readonly here = new MemorySyncStore("10.0.0.1");
  readonly peers = new Map<string, MemorySyncStore | "away">();
  readonly statuses = new Map<StorageId, StorageStatus>();
  readonly asked: string[] = [];
  /** Who was looked for, whether there or not. */
  readonly sought: string[] = [];
  /** Members of which nothing was told here; what trackers know. */
  readonly untold = new Set<string>();
  knowsMembers = true;
  trackersAnswer = true;
  readonly clock = new ManualClock();
  readonly tombstones = new Tombstones();
  readonly held = new HeldPositions({ loadHeld: () => new Map(), saveHeld: () => {} });
  readonly fetcher: FileFetcher;

  constructor() {
    const pool = { lease: async ({ address }: { address: string }) => this.#lease(address) };
    this.fetcher = new FileFetcher({
      ...{ store: this.here, clock: this.clock, log: new Log("test", () => {}) },
      pool: pool as unknown as ConnectionPool,
      group: "group1",
      ownId: () => StorageId("10.0.0.1"),
      sourceId: (named) => {
        const id = named.kind === "address" ? named.address : named.id;
        if (id === "10.0.0.1") return "self";
        return [source, other].find((each) => each === id);
      },
      peers: () =>
        [other, source].map((id) => {
          const status = this.statuses.get(id) ?? storageStatus.active;
          return { id, addresses: [id], port: 1, cairn: true, status };
        }),
      knowsMembers: () => this.knowsMembers,
      isMember: async (named) => {
        if (!this.trackersAnswer) throw netError("peer-unreachable", "no tracker answers");
        return named.kind === "address" && this.untold.has(named.address);
      },
      ...{ held: this.held, tombstones: this.tombstones, deadlineMs: 1000 },
    });
    for (const id of [source, other]) this.peers.set(id, new MemorySyncStore(id));
  }

  at(id: string): MemorySyncStore {
    const peer = this.peers.get(id);
    if (!(peer instanceof MemorySyncStore)) throw new Error(`${id} is away`);
    return peer;
  }

  #lease(address: string) {
    this.sought.push(address);
    const peer = this.peers.get(address);
    if (!(peer instanceof MemorySyncStore)) throw netError("peer-unreachable", "away");
    const download = async (_message: unknown, { filename }: { readonly filename: string }) => {
      this.asked.push(address);
      const file = peer.files.get(filename);
      if (file === undefined) throw new WireStatusError(wireStatus.notFound, "none");
      const writer = new WireWriter();
      const head = { modifiedSeconds: file.modifiedSeconds, crc32: undefined };
      fetchedHead.encode(head, writer, narrowAddresses);
      return flowOfBytes(Buffer.concat([writer.bytes(), file.bytes]));
    };
    return { client: { download }, reused: false, giveBack: () => {}, drop: () => {} };
  }
}

test("the source is asked first, the file is kept, and whoever asks meanwhile shares the fetch", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  const results = await Promise.all([stage.fetcher.fetch(name), stage.fetcher.fetch(name)]);
  expect(results).toEqual(["fetched", "fetched"]);
  expect(stage.asked).toEqual([source]);
  expect(stage.here.files.get(name)?.bytes.toString()).toBe("hello");
});

test("a file below the position of its source was deleted: nobody is asked, unless there are gaps", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.held.learn(source, { heldUntil: 1001, gaps: 0 });
  expect(await stage.fetcher.fetch(name)).toBe("missing");
  expect(stage.asked).toEqual([]);
  stage.held.learn(source, { heldUntil: 1002, gaps: 1 });
  expect(await stage.fetcher.fetch(name)).toBe("fetched");
});

test("what was made here, or deleted here, is not asked for; with a lost store path it is", async () => {
  const stage = new Stage();
  const own = stage.here.upload(Buffer.from("own"));
  stage.at(other).files.set(own, { bytes: Buffer.from("own"), modifiedSeconds: 1 });
  stage.here.files.delete(own);
  expect(await stage.fetcher.fetch(own)).toBe("missing");
  const theirs = stage.at(source).upload(Buffer.from("theirs"));
  stage.tombstones.add(theirs, stage.clock.monotonicMs());
  expect(await stage.fetcher.fetch(theirs)).toBe("missing");
  stage.held.suspend("store path 0 was lost");
  expect(await stage.fetcher.fetch(own)).toBe("fetched");
});

test("nobody has it: that is remembered for a moment; its source is away: nobody knows", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.at(source).files.delete(name);
  expect(await stage.fetcher.fetch(name)).toBe("missing");
  expect(await stage.fetcher.fetch(name)).toBe("missing");
  expect(stage.asked).toEqual([source, other]);
  stage.clock.advance(3000);
  stage.peers.set(source, "away");
  expect(await stage.fetcher.fetch(name)).toBe("unknown");
  stage.at(other).files.set(name, { bytes: Buffer.from("hello"), modifiedSeconds: 1 });
  expect(await stage.fetcher.fetch(name)).toBe("fetched");
});

test("that nobody had a file is forgotten when the group changes", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  const file = stage.at(source).files.get(name);
  stage.at(source).files.delete(name);
  expect(await stage.fetcher.fetch(name)).toBe("missing");
  if (file !== undefined) stage.at(other).files.set(name, file);
  expect(await stage.fetcher.fetch(name)).toBe("missing");
  stage.fetcher.forgetAbsences();
  expect(await stage.fetcher.fetch(name)).toBe("fetched");
});

test("a damaged copy is not kept, and the next peer is asked; healing replaces what is here", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.at(other).files.set(name, { bytes: Buffer.from("hello"), modifiedSeconds: 1 });
  stage.at(source).files.set(name, { bytes: Buffer.from("rotten"), modifiedSeconds: 1 });
  stage.here.files.set(name, { bytes: Buffer.from("bad"), modifiedSeconds: 1 });
  expect(await stage.fetcher.heal(name)).toBe(true);
  expect(stage.here.files.get(name)?.bytes.toString()).toBe("hello");
});

test("a file that a change did not fit is had from the sender of the change alone, whoever its source is", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("as it was"), "appender");
  stage.here.files.set(name, { bytes: Buffer.from("as it was"), modifiedSeconds: 1 });
  expect(await stage.fetcher.replace(name, other)).toBe("missing");
  expect(stage.here.files.get(name)?.bytes.toString()).toBe("as it was");
  stage.at(other).files.set(name, { bytes: Buffer.from("as it is"), modifiedSeconds: 2 });
  expect(await stage.fetcher.replace(name, other)).toBe("fetched");
  expect(stage.here.files.get(name)?.bytes.toString()).toBe("as it is");
  stage.peers.set(other, "away");
  expect(await stage.fetcher.replace(name, other)).toBe("unknown");
  expect(stage.asked).not.toContain(source);
});

test("as long as nobody has told who the members are, a file is not said to be missing", async () => {
  const stage = new Stage();
  stage.knowsMembers = false;
  const untold = new MemorySyncStore("10.0.0.4").upload(Buffer.from("hello"));
  expect(await stage.fetcher.fetch(untold)).toBe("unknown");
  // Its own source knows.
  const gone = stage.at(source).upload(Buffer.from("gone"));
  stage.at(source).files.delete(gone);
  expect(await stage.fetcher.fetch(gone)).toBe("missing");
  stage.knowsMembers = true;
  expect(await stage.fetcher.fetch(untold)).toBe("missing");
});

test("a source of which nothing was told is nobody's only when trackers do not know it, and all others said no", async () => {
  const stage = new Stage();
  const fresh = (): string => new MemorySyncStore("10.0.0.4").upload(Buffer.from("hello"));
  const name = fresh();
  stage.untold.add("10.0.0.4");
  expect(await stage.fetcher.fetch(name)).toBe("unknown");
  stage.untold.clear();
  stage.trackersAnswer = false;
  expect(await stage.fetcher.fetch(name)).toBe("unknown");
  stage.trackersAnswer = true;
  stage.peers.set(other, "away");
  expect(await stage.fetcher.fetch(name)).toBe("unknown");
  stage.peers.set(other, new MemorySyncStore(other));
  expect(await stage.fetcher.fetch(name)).toBe("missing");
});

test("a source that trackers call away is asked, and not again for a moment where it is not there", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.statuses.set(source, storageStatus.offline);
  expect(await stage.fetcher.fetch(name)).toBe("fetched");
  const there = stage.at(source);
  const next = there.upload(Buffer.from("next"));
  stage.peers.set(source, "away");
  stage.sought.length = 0;
  expect(await stage.fetcher.fetch(next)).toBe("unknown");
  expect(await stage.fetcher.fetch(next)).toBe("unknown");
  expect(stage.sought).toEqual([source, other, other]);
  stage.clock.advance(3000);
  stage.peers.set(source, there);
  expect(await stage.fetcher.fetch(next)).toBe("fetched");
});

test("that a source which is being filled does not have a file says little", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.at(source).files.delete(name);
  stage.statuses.set(source, storageStatus.syncing);
  stage.peers.set(other, "away");
  expect(await stage.fetcher.fetch(name)).toBe("unknown");
});

test("a slave can be made at any time: that there was none is not remembered", async () => {
  const stage = new Stage();
  const master = stage.at(source).upload(Buffer.from("hello"));
  const slave = slaveName(master, "_s", "bin");
  expect(await stage.fetcher.fetch(slave)).toBe("missing");
  stage.at(source).files.set(slave, { bytes: Buffer.from("small"), modifiedSeconds: 1 });
  expect(await stage.fetcher.fetch(slave)).toBe("fetched");
  const later = slaveName(master, "_t", "bin");
  stage.peers.set(source, "away");
  expect(await stage.fetcher.fetch(later)).toBe("unknown");
});

test("the source's no counts also where another peer fails", async () => {
  const stage = new Stage();
  const name = stage.at(source).upload(Buffer.from("hello"));
  stage.at(source).files.delete(name);
  stage.at(other).files.set(name, { bytes: Buffer.from("rotten"), modifiedSeconds: 1 });
  expect(await stage.fetcher.fetch(name)).toBe("missing");
});
