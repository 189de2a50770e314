/**
 * Carries the trunk binlog to the other storages of the group, while this one is the trunk server (protocol §4.7): to each by a
 * connection of its own, whole lines in the order of the file, from where its mark says. A reader that begins is told to begin, too.
 * Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";
import type { TrunkLogClient } from "#filestore/trunk-log-client.ts";
import { storageStatus } from "#model/storage-status.ts";
import { FrameClient } from "#net/frame-client.ts";
import { type Clock, delay, type Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import { trunkSyncBinlog, trunkTruncateBinlogFile } from "#protocol/fastdfs/storage-trunk.ts";
import type { StorageBrief } from "#protocol/fields.ts";

/** Of one message; C's buffer is not much longer. */
const maxMessageBytes = 63 * 1024;
const retryPauseMs = 5000;
const markKey = "binlog_offset";

export interface TrunkReplicationParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly binlog: TrunkLogClient;
  readonly connectTimeoutMs: number;
  readonly networkTimeoutMs: number;
  /** An idle connection is tried this often. */
  readonly heartBeatIntervalMs: number;
  readonly ownPort: () => number;
  readonly usesStorageIds: () => boolean;
  /** The group's storages but this one. */
  readonly peers: () => readonly StorageBrief[];
}

interface Reader {
  readonly peer: StorageBrief;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** Ends a pause: there is more, or nothing more at all. */
  wake: () => void;
  /** There may be more than was read last. */
  news: boolean;
  /** Bytes that the peer has. */
  offset: number;
}

/** Storages that are there, or will be: others have no use for a binlog. */
const unfit: readonly number[] = [
  storageStatus.deleted,
  storageStatus.ipChanged,
  storageStatus.none,
  storageStatus.init,
];

export class TrunkReplication {
  readonly #parts: TrunkReplicationParts;
  readonly #readers = new Map<string, Reader>();
  #running = false;
  #paused = false;

  constructor(parts: TrunkReplicationParts) {
    this.#parts = parts;
  }

  /** How far each storage has come, by its id. */
  get offsets(): ReadonlyMap<string, number> {
    return new Map([...this.#readers.values()].map(({ peer, offset }) => [peer.id, offset]));
  }

  start(): void {
    this.#running = true;
    this.refresh();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#stopAll();
  }

  /** The group may have other members than before. */
  refresh(): void {
    if (!this.#running || this.#paused) return;
    const wanted = new Map(
      this.#parts
        .peers()
        .filter(({ status, port }) => !unfit.includes(status) && port > 0)
        .map((peer) => [keyOf(peer), peer]),
    );
    for (const [key, reader] of this.#readers) {
      if (wanted.has(key)) continue;
      this.#readers.delete(key);
      end(reader);
    }
    for (const [key, peer] of wanted) {
      if (!this.#readers.has(key)) this.#readers.set(key, this.#begin(peer));
    }
  }

  /** The binlog has grown. */
  wake(): void {
    for (const reader of this.#readers.values()) {
      reader.news = true;
      reader.wake();
    }
  }

  /** Resolves when nobody reads the binlog any more. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#stopAll();
  }

  /** The binlog is another one, without marks: everybody begins anew. */
  resume(): void {
    this.#paused = false;
    this.refresh();
  }

  async #stopAll(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    for (const reader of readers) end(reader);
    await Promise.all(readers.map(({ ended }) => ended));
  }

  #begin(peer: StorageBrief): Reader {
    const stop = new AbortController();
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const reader: Reader = {
      peer,
      stop,
      offset: 0,
      news: false,
      wake: () => {},
      ended: begun.then(() => this.#run(reader)),
    };
    ignore(reader.ended, this.#parts.log, "a reader ends when it is stopped");
    begin();
    return reader;
  }

  async #run(reader: Reader): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = reader.stop;
    let said = "";
    while (!signal.aborted) {
      try {
        await this.#connected(reader);
        said = "";
      } catch (error) {
        if (signal.aborted) return;
        const why = describeError(error);
        if (why !== said) log.warn("trunk-binlog-not-sent", { peer: reader.peer.id, why });
        said = why;
      }
      await delay(clock, retryPauseMs, signal).catch(() => undefined);
    }
  }

  async #connected(reader: Reader): Promise<void> {
    const { network, clock, connectTimeoutMs, networkTimeoutMs } = this.#parts;
    const { address, port } = reader.peer;
    const { signal } = reader.stop;
    const client = await FrameClient.connect(
      { address, port, timeoutMs: connectTimeoutMs },
      { network, clock, networkTimeoutMs },
      signal,
    );
    client.onBroken = () => reader.wake();
    const leave = (): void => client.destroy();
    signal.addEventListener("abort", leave, { once: true });
    try {
      await this.#send(reader, client);
    } finally {
      signal.removeEventListener("abort", leave);
      client.close();
    }
  }

  async #send(reader: Reader, client: FrameClient): Promise<void> {
    const { binlog, log } = this.#parts;
    const { signal } = reader.stop;
    const mark = this.#markName(reader.peer);
    reader.offset = await this.#readMark(mark);
    if (reader.offset > (await binlog.size())) reader.offset = 0;
    if (reader.offset === 0) await client.call(trunkTruncateBinlogFile, undefined);
    log.debug("trunk-binlog-reader", { peer: reader.peer.id, offset: reader.offset });
    while (!signal.aborted) {
      reader.news = false;
      const lines = await this.#nextLines(reader.offset);
      if (lines.length === 0) {
        if (!reader.news) await this.#rest(reader, client);
        continue;
      }
      await client.call(trunkSyncBinlog, { lines });
      // The peer has them, also where this is to end now.
      reader.offset += lines.length;
      await binlog.writeMark(mark, formatKeyValueLines([[markKey, reader.offset]]));
    }
  }

  async #nextLines(offset: number): Promise<Uint8Array> {
    const piece = await this.#parts.binlog.read("binlog", offset, maxMessageBytes);
    const bytes = piece?.bytes ?? new Uint8Array(0);
    return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
  }

  /** Until there is more, or the connection has to be tried. */
  async #rest(reader: Reader, client: FrameClient): Promise<void> {
    const { clock, heartBeatIntervalMs } = this.#parts;
    let isTime = false;
    await new Promise<void>((resolve) => {
      const timer: Timer = clock.after(heartBeatIntervalMs, () => {
        isTime = true;
        resolve();
      });
      reader.wake = () => {
        timer.cancel();
        resolve();
      };
    });
    reader.wake = () => {};
    if (isTime && !reader.stop.signal.aborted) await client.call(activeTest, undefined);
  }

  async #readMark(name: string): Promise<number> {
    const mark = await this.#parts.binlog.read(name, 0, 256);
    if (mark === undefined) return 0;
    const values = parseKeyValueLines(Buffer.from(mark.bytes).toString("latin1"));
    return parseCount(values.get(markKey)) ?? 0;
  }

  /** The port is our own, as in C: its mark files are found again by it. */
  #markName({ id, address }: StorageBrief): string {
    return this.#parts.usesStorageIds() ? `${id}.mark` : `${address}_${this.#parts.ownPort()}.mark`;
  }
}

function end(reader: Reader): void {
  reader.stop.abort(new Error("the trunk binlog is not sent any more"));
  reader.wake();
}

function keyOf({ id, address, port }: StorageBrief): string {
  return `${id} ${address} ${port}`;
}
