/**
 * Goal: whatever well-framed bytes a peer sends, a tracker answers or closes, keeps serving, and keeps a state that it can load.
 * Method: random bodies, and bodies put together from what real ones consist of, go to every command of a live tracker, on
 * connections that have joined and on such that have not. No request may end in an error that the tracker did not foresee.
 */
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { storageJoin, trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import type { Message } from "#protocol/message.ts";
import { defaultTrackerSettings } from "#tracker/tracker-settings.ts";
import { TrackerHarness } from "../support/tracker-harness.ts";

const families = [trackerQueries, trackerAdmin, trackerReports, trackerLookups, trackerCluster];
const commands = families.flatMap((family) => Object.values(family).map(({ command }) => command));
const answerLimitMs = 5000;
type Sample = readonly [number, Uint8Array];

/** A connection that reads one reply at a time. */
class RawPeer {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, Buffer.from(chunk)]);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static connect(port: number): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new RawPeer(socket)));
      socket.once("error", reject);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The status of the reply, or "closed"; rejects when neither comes. */
  async ask(command: number, body: Uint8Array): Promise<number | "closed"> {
    const header = Buffer.alloc(10);
    header.writeBigInt64BE(BigInt(body.length), 0);
    header[8] = command;
    this.#socket.write(Buffer.concat([header, body]));
    const deadline = performance.now() + answerLimitMs;
    for (;;) {
      const reply = this.#received;
      if (reply.length >= 10) {
        const whole = 10 + Number(reply.readBigInt64BE(0));
        if (reply.length > whole) throw new Error(`${reply.length - whole} bytes too many`);
        if (reply.length === whole) {
          this.#received = Buffer.alloc(0);
          if (reply[8] !== 100) throw new Error("a reply that is none");
          return reply[9] as number;
        }
      }
      if (this.#closed) return "closed";
      if (performance.now() > deadline) throw new Error(`no answer to command ${command}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function padded(text: string, width: number): Uint8Array {
  const field = Buffer.alloc(width);
  field.write(text);
  return field;
}

function encoded<Request>(message: Message<Request, unknown>, request: Request): Sample {
  const writer = new WireWriter(256);
  message.request.encode(request, writer, narrowAddresses);
  return [message.command, Buffer.from(writer.bytes())];
}

/** A valid body for each command whose body random bytes hardly ever hit. */
function samplesFor(harness: TrackerHarness): ReadonlyMap<number, Uint8Array> {
  const group = "group1";
  const filename = "M00/00/00/fwAAAWsDvciAA8gGAAATiHFOELQ9165699";
  const id = StorageId("127.0.0.1");
  const storage = { status: storageStatus.offline, port: 23000, id, address: "127.0.0.1" };
  const path = { totalMb: 10_000, freeMb: 5000 };
  const server = { address: "127.0.0.1", port: 23000 };
  const leader = { address: "127.0.0.1", port: harness.port };
  const reports = trackerReports;
  return new Map([
    encoded(storageJoin, harness.join({ initializing: false, status: 7 })),
    encoded(reports.reportDiskUsage, { storePaths: [path, path] }),
    encoded(reports.reportSync, { sources: [{ id, timestamp: 5 }] }),
    encoded(reports.reportReplicas, { members: [storage, storage] }),
    encoded(reports.reportStatus, { group, storage }),
    encoded(reports.requestSyncSourceOf, { group, id }),
    encoded(reports.notifySyncSource, { source: id, until: 5 }),
    encoded(reports.reportIpChanged, {
      group,
      oldAddress: "127.0.0.9",
      newAddress: "127.0.0.1",
    }),
    encoded(reports.requestChangelog, { storage: { group, id } }),
    encoded(reports.changeStorageStatus, { status: storageStatus.offline }),
    encoded(trackerLookups.getStorageStatus, { group, server }),
    encoded(trackerLookups.getStorageId, { group, server }),
    encoded(trackerLookups.getMyIp, { group, port: 23000 }),
    encoded(trackerLookups.fetchStorageIds, { startIndex: 0, allowEmpty: true }),
    encoded(trackerQueries.queryFetch, { group, filename }),
    encoded(trackerQueries.queryUpdate, { group, filename }),
    encoded(trackerQueries.queryFetchAll, { group, filename }),
    encoded(trackerAdmin.listStorages, { group, id }),
    encoded(trackerAdmin.deleteStorage, { group, id }),
    encoded(trackerAdmin.setTrunkServer, { group, id }),
    encoded(trackerCluster.getOneSysFile, { fileIndex: 1, offset: 100 }),
    encoded(trackerCluster.joinLeader, { upTime: 5, version: "6.16.1", port: harness.port }),
    encoded(trackerCluster.notifyNextLeader, { leader }),
    encoded(trackerCluster.commitNextLeader, { leader }),
  ]);
}

/** What the fields of real requests look like, among them edges of their ranges. */
function pieces(join: Uint8Array): fc.Arbitrary<Uint8Array> {
  const text = fc.constantFrom("group1", "127.0.0.1", "", "10.0.0.9", "10.0.0.9:1", "nogroup");
  const i64 = fc.constantFrom(0n, 1n, 2n, 23000n, -1n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n));
  return fc.oneof(
    fc.tuple(text, fc.constantFrom(16, 17, 46)).map(([value, width]) => padded(value, width)),
    text.map((value) => Buffer.from(value)),
    i64.map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value);
      return bytes;
    }),
    fc.uint8Array({ maxLength: 8 }),
    fc.constant(join),
    fc.constant(Buffer.from("M00/00/00/fwAAAWsDvciAA8gGAAATiHFOELQ9165699")),
  );
}

type Body = (command: number) => Uint8Array;

/** Either the same bytes for each command, or each one's valid body with some bytes changed and perhaps its end cut off. */
function bodies(samples: ReadonlyMap<number, Uint8Array>): fc.Arbitrary<Body> {
  const join = samples.get(storageJoin.command) ?? new Uint8Array();
  const usual = [0, 1, 3, 4, 5, 8, 9, 12, 16, 20, 21, 24, 32, 60, 67, 83, 108, 134, 348];
  const sized = fc
    .constantFrom(...usual)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  const built = fc.array(pieces(join), { maxLength: 6 }).map((parts) => Buffer.concat(parts));
  const same = fc.oneof(sized, built, fc.uint8Array({ maxLength: 600 })).map(
    (body): Body =>
      () =>
        body,
  );
  const change = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 255 }));
  const changed = fc
    .tuple(fc.array(change, { maxLength: 3 }), fc.constantFrom(0, 0, 0, 1, 8))
    .map(([changes, cut]): Body => {
      return (command) => {
        const body = Buffer.from(samples.get(command) ?? []);
        for (const [at, value] of changes) if (body.length > 0) body[at % body.length] = value;
        return body.subarray(0, Math.max(0, body.length - cut));
      };
    });
  return fc.oneof(same, changed);
}

test("random bodies to every command: each is answered or closed, and the tracker serves on", async () => {
  await using harness = await TrackerHarness.start({
    settings: { trunk: { ...defaultTrackerSettings.trunk, enabled: true } },
  });
  const samples = samplesFor(harness);
  const join = samples.get(storageJoin.command) ?? new Uint8Array();
  const peers = new Map<string, RawPeer>();
  const peer = async (joined: boolean): Promise<RawPeer> => {
    const key = String(joined);
    const known = peers.get(key);
    if (known !== undefined && !known.closed) return known;
    const fresh = await RawPeer.connect(harness.port);
    peers.set(key, fresh);
    if (joined) await fresh.ask(storageJoin.command, join);
    return fresh;
  };
  await fc.assert(
    fc.asyncProperty(bodies(samples), fc.boolean(), async (body, joined) => {
      for (const command of commands) {
        const status = await (await peer(joined)).ask(command, body(command));
        expect(typeof status === "number" || status === "closed").toBe(true);
      }
    }),
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 4) },
  );
  for (const each of peers.values()) each.close();
  const unforeseen = harness.records.filter(({ event }) => event === "request-failed");
  expect(unforeseen).toEqual([]);
  const client = await harness.client();
  expect(await client.call(activeTest, undefined)).toBeUndefined();
  await harness.stop();
  await using again = await TrackerHarness.start({ database: harness.database });
  expect(again.tracker.snapshot().groups.length).toBeGreaterThan(0);
}, 60_000);
