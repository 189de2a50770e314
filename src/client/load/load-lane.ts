/**
 * One connection's worth of load, in a closed loop: the next operation starts when the former has ended. A lane that cannot
 * connect tries again a few times, then gives up.
 */
import type { FileStock } from "#client/load/file-stock.ts";
import { connectTimeoutMs, maxFruitlessConnects, reconnectDelayMs } from "#client/load/limits.ts";
import { LoadConnection, type LoadConnectionOwner } from "#client/load/load-connection.ts";
import { wordsOfBreak, wordsOfStatus } from "#client/load/load-failures.ts";
import { type LoadOperation, operationFacts } from "#client/load/load-operation.ts";
import {
  FileRequests,
  isReference,
  type LoadRequest,
  metadataRequest,
  UploadRequests,
} from "#client/load/load-requests.ts";
import type { LoadTally } from "#client/load/load-tally.ts";
import type { Endpoint } from "#model/endpoint.ts";
import { decodeBase } from "#model/file-id.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { groupWidth } from "#protocol/fields.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface LaneSettings {
  readonly network: Network;
  readonly clock: Clock;
  readonly operation: LoadOperation;
  readonly server: Endpoint;
  /** Which storage `server` is. */
  readonly storage: number;
  readonly stock: FileStock;
  /** A connection for each operation, whose opening is part of its time. */
  readonly fresh: boolean;
  /** Downloads are compared with the CRC-32 that their names carry. */
  readonly checksums: boolean;
  readonly pattern: Uint8Array;
  readonly seed: number;
}

/** What the lanes of a run share. */
export interface LaneRun {
  readonly tally: LoadTally;
  /** The number of an operation that may start now; undefined ends the lane. */
  nextNumber(): number | undefined;
  /** There is no file left that this lane could use. */
  outOfFiles(): void;
  laneEnded(gaveUp: boolean): void;
}

const sizeAndTimeBytes = 8;

export class LoadLane implements LoadConnectionOwner {
  readonly #settings: LaneSettings;
  readonly #uploads: UploadRequests | undefined;
  readonly #requests: FileRequests | undefined;
  #run: LaneRun | undefined;
  #connection: LoadConnection | undefined;
  #file: Buffer | undefined;
  #startedMs = 0;
  #underWay = false;
  #fruitlessConnects = 0;

  constructor(settings: LaneSettings) {
    const { operation, stock, pattern, seed } = settings;
    this.#settings = settings;
    if (operation === "upload") {
      this.#uploads = new UploadRequests(stock.sizeBytes, pattern, seed);
    } else if (operation !== "set-metadata") {
      this.#requests = new FileRequests(operation);
    }
  }

  /** Opens the connection ahead, so that no operation waits for it. A failure shows when the lane starts. */
  async open(): Promise<void> {
    if (this.#settings.fresh) return;
    try {
      await this.#connect();
    } catch {
      // The first operation tries again, and counts it.
    }
  }

  start(run: LaneRun): void {
    this.#run = run;
    this.#fruitlessConnects = 0;
    void this.#next();
  }

  /** Ends an operation that has had no answer since `beforeMs`. */
  cutOff(beforeMs: number, words: string): void {
    if (!this.#underWay || this.#startedMs > beforeMs) return;
    this.#drop();
    this.#brokeOff(words);
  }

  close(): void {
    this.#drop();
  }

  onReply(): void {
    const { clock, fresh } = this.#settings;
    const connection = this.#connection;
    const run = this.#run;
    if (connection === undefined || run === undefined || !this.#underWay) return;
    const ms = clock.monotonicMs() - this.#startedMs;
    const problem = this.#problemOf(connection);
    if (problem === undefined) {
      this.#underWay = false;
      this.#fruitlessConnects = 0;
      this.#succeeded(run.tally, ms);
      if (fresh) this.#drop();
    } else {
      // After a bare EINVAL a storage closes the connection (protocol §1.6); a request that is not sent cannot be followed.
      const { sendsStill, status } = connection;
      if (fresh || sendsStill || status === wireStatus.invalid) this.#drop();
      this.#failed(problem, status === wireStatus.notFound);
    }
    void this.#next();
  }

  onBroken(words: string): void {
    this.#connection = undefined;
    if (this.#underWay) this.#brokeOff(words);
  }

  #brokeOff(words: string): void {
    if (this.#settings.operation === "upload" && this.#run !== undefined) {
      this.#run.tally.unanswered += 1;
    }
    this.#failed(words);
    void this.#next();
  }

  async #next(): Promise<void> {
    const run = this.#run;
    const number = run?.nextNumber();
    if (run === undefined || number === undefined) return this.#end(false);
    const { clock, fresh } = this.#settings;
    this.#startedMs = clock.monotonicMs();
    let connection = this.#connection;
    if (connection?.usable !== true) {
      connection = await this.#connectFor(run);
      if (connection === undefined) return;
      if (!fresh) this.#startedMs = clock.monotonicMs();
    }
    const request = this.#request(number);
    if (request === undefined) {
      run.outOfFiles();
      return this.#end(false);
    }
    this.#underWay = true;
    connection.send(request.bytes, request.patternLength);
  }

  /** Undefined after a failure, which has been counted and is followed by the next attempt. */
  async #connectFor(run: LaneRun): Promise<LoadConnection | undefined> {
    try {
      return await this.#connect();
    } catch (error) {
      run.tally.failures.count(wordsOfBreak(error));
      this.#fruitlessConnects += 1;
      if (this.#fruitlessConnects >= maxFruitlessConnects) this.#end(true);
      else this.#settings.clock.after(reconnectDelayMs, () => void this.#next());
      return undefined;
    }
  }

  async #connect(): Promise<LoadConnection> {
    const { network, server, pattern, checksums } = this.#settings;
    const opened = await network.connect({ ...server, timeoutMs: connectTimeoutMs });
    const connection = new LoadConnection(opened, this, pattern);
    connection.checksums = checksums;
    this.#connection = connection;
    return connection;
  }

  #request(number: number): LoadRequest | undefined {
    const { operation, stock, storage } = this.#settings;
    if (this.#uploads !== undefined) return this.#uploads.next(number);
    const { files, server } = operationFacts[operation];
    if (files === "none") return this.#requests?.plain();
    if (files === "consumes") this.#file = stock.take(storage);
    else this.#file = server === "tracker" ? stock.useAny() : stock.use(storage);
    if (this.#file === undefined) return undefined;
    return this.#requests?.about(this.#file) ?? metadataRequest(this.#file);
  }

  /** What is wrong with the reply, in words. */
  #problemOf(connection: LoadConnection): string | undefined {
    const { status, length, kept } = connection;
    const { operation, stock, checksums } = this.#settings;
    if (status !== 0) return wordsOfStatus(status);
    switch (operation) {
      case "upload":
        return length <= kept.length && isReference(kept.subarray(0, length))
          ? undefined
          : "no name in the reply";
      case "download":
        if (length !== stock.sizeBytes) return "wrong length";
        return checksums && connection.crc32 !== this.#expectedCrc32()
          ? "wrong content"
          : undefined;
      case "info":
        return length > sizeAndTimeBytes && Number(kept.readBigUInt64BE(0)) === stock.sizeBytes
          ? undefined
          : "wrong length";
      default:
        return undefined;
    }
  }

  #expectedCrc32(): number | undefined {
    const name = this.#file?.toString("latin1", groupWidth) ?? "";
    return decodeBase(name.slice(name.lastIndexOf("/") + 1))?.crc32;
  }

  #succeeded(tally: LoadTally, ms: number): void {
    const { operation, stock, storage } = this.#settings;
    tally.succeeded += 1;
    tally.latency.record(ms);
    if (operationFacts[operation].movesContent) tally.bytes += stock.sizeBytes;
    if (operation !== "upload") return;
    const connection = this.#connection;
    if (connection !== undefined)
      stock.add(storage, connection.kept.subarray(0, connection.length));
  }

  #failed(words: string, gone: boolean = false): void {
    this.#underWay = false;
    this.#run?.tally.failures.count(words);
    const { operation, stock, storage } = this.#settings;
    const consumes = operationFacts[operation].files === "consumes";
    if (consumes && !gone && this.#file !== undefined) stock.putAside(storage, this.#file);
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #end(gaveUp: boolean): void {
    const run = this.#run;
    this.#run = undefined;
    run?.laneEnded(gaveUp);
  }
}
