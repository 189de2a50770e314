/**
 * Fetches a file or a range of it into a local file: through `NAME.part`, in several stretches at the same time where wanted,
 * going on where an earlier run stopped, checked against the CRC-32 in the file id before it gets its name.
 */
import { crc32 } from "node:zlib";
import { AppError } from "#base/app-error.ts";
import { FileSink } from "#cli/transfer/file-sink.ts";
import { type Lane, planLanes, replanLanes, restOf } from "#cli/transfer/lanes.ts";
import {
  notePath,
  type PartialFacts,
  partPath,
  readNote,
  writeNote,
} from "#cli/transfer/partial-file.ts";
import { crcMismatch } from "#client/download.ts";
import type { FastdfsClient } from "#client/fastdfs-client.ts";
import type { Clock } from "#platform/clock.ts";
import type { LocalFile, LocalFiles } from "#platform/local-files.ts";

/** How often what has arrived is noted down. */
const notePeriodMs = 5000;
const verifyBlockSize = 1024 * 1024;

export interface FetchWorld {
  readonly client: FastdfsClient;
  readonly files: LocalFiles;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface FetchJob extends PartialFacts {
  /** Of the finished file. */
  readonly path: string;
  readonly parallel: number;
  /** What the CRC-32 of the bytes must be; undefined checks nothing. */
  readonly crc32: number | undefined;
  /** So many bytes more are here; the first call tells those of an earlier run. */
  readonly progress: (bytes: number) => void;
}

export interface Fetched {
  /** Bytes that an earlier run had brought. */
  readonly resumedBytes: number;
  readonly verified: boolean;
}

/** Rejects with what went wrong; the part stays for another run, unless its bytes are wrong: then it is `NAME.damaged`. */
export async function fetchFile(world: FetchWorld, job: FetchJob): Promise<Fetched> {
  const { files } = world;
  const found = await readNote(files, job.path, job);
  const lanes = found ?? planLanes(job.total, job.parallel);
  const resumedBytes = lanes.reduce((sum, lane) => sum + lane.done, 0);
  job.progress(resumedBytes);
  {
    await using file = await files.open(partPath(job.path), "update");
    if (resumedBytes === 0) await file.truncate(0);
    const fetch = new Fetch(world, job, { file, lanes });
    await fetch.run();
    await file.truncate(job.total);
    if (job.crc32 !== undefined) await verify(file, job, world);
    await file.flush();
  }
  await files.rename(partPath(job.path), job.path);
  await files.remove(notePath(job.path));
  return { resumedBytes, verified: job.crc32 !== undefined };
}

class Fetch {
  readonly #world: FetchWorld;
  readonly #job: FetchJob;
  readonly #file: LocalFile;
  /** Finished ones, and those under way with what they have so far. */
  #finished: readonly Lane[];
  #running: { lane: Lane }[];
  #notedAtMs: number;
  #noting: Promise<void> = Promise.resolve();

  constructor(
    world: FetchWorld,
    job: FetchJob,
    parts: { readonly file: LocalFile; readonly lanes: readonly Lane[] },
  ) {
    this.#world = world;
    this.#job = job;
    this.#file = parts.file;
    this.#finished = parts.lanes.filter((lane) => restOf(lane) === 0);
    this.#running = replanLanes(parts.lanes, job.parallel).map((lane) => ({ lane }));
    this.#notedAtMs = world.clock.monotonicMs();
  }

  /** The first stretch that fails ends the others; what arrived is noted down. */
  async run(): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#world.signal, stop.signal]);
    const results = await Promise.allSettled(
      this.#running.map(async (slot) => {
        try {
          await this.#fetchLane(slot, signal);
        } catch (error) {
          stop.abort(error);
          throw error;
        }
      }),
    );
    await this.#noting;
    if (results.every((result) => result.status === "fulfilled")) return;
    await this.#note();
    this.#world.signal.throwIfAborted();
    throw stop.signal.reason;
  }

  async #fetchLane(slot: { lane: Lane }, signal: AbortSignal): Promise<void> {
    const { client } = this.#world;
    const { fileId, offset, total } = this.#job;
    const { start, done } = slot.lane;
    const length = restOf(slot.lane);
    // The whole file is asked for without a length, which releases of all ages understand.
    const range = length === total && offset === 0 ? {} : { length };
    const download = await client.download(fileId, {
      offset: offset + start + done,
      signal,
      ...range,
    });
    if (download.length !== length) {
      download.close();
      throw new AppError("file-changed", `${fileId} became another size: get it again`);
    }
    let failure: unknown;
    const sink = new FileSink({
      file: this.#file,
      position: start + done,
      resume: () => download.resume(),
      written: (bytes) => {
        slot.lane = { ...slot.lane, done: slot.lane.done + bytes };
        this.#job.progress(bytes);
        this.#noteNowAndThen();
      },
      failed: (error) => {
        failure = error;
        download.close();
      },
    });
    const broken = await download.drainTo(sink).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await sink.finish();
    if (failure !== undefined) throw failure;
    if (broken !== undefined) throw broken.error;
  }

  #noteNowAndThen(): void {
    const now = this.#world.clock.monotonicMs();
    if (now - this.#notedAtMs < notePeriodMs) return;
    this.#notedAtMs = now;
    // A note that cannot be written is no reason to give up; the next one may.
    this.#noting = this.#noting.then(() => this.#note()).catch(() => {});
  }

  async #note(): Promise<void> {
    const { fileId, fileSize, offset, total, modifiedAt, path } = this.#job;
    const lanes = [...this.#finished, ...this.#running.map((slot) => slot.lane)];
    await this.#file.flush();
    const facts = { fileId, fileSize, offset, total, modifiedAt };
    await writeNote(this.#world.files, path, { ...facts, lanes });
  }
}

/** Reads what lies on the disk, so that it is the file that is checked and not the wire. */
async function verify(file: LocalFile, job: FetchJob, world: FetchWorld): Promise<void> {
  const block = Buffer.allocUnsafe(Math.min(verifyBlockSize, Math.max(1, job.total)));
  let sum = 0;
  for (let at = 0; at < job.total; ) {
    world.signal.throwIfAborted();
    const count = await file.read(block, at);
    if (count === 0) break;
    sum = crc32(block.subarray(0, count), sum);
    at += count;
  }
  if (sum === job.crc32 || job.crc32 === undefined) return;
  const damaged = `${job.path}.damaged`;
  await world.files.rename(partPath(job.path), damaged);
  await world.files.remove(notePath(job.path));
  const error = crcMismatch(job.fileId, job.crc32, sum);
  throw new AppError("crc-mismatch", `${error.message}; the bytes are in ${damaged}`, {
    cause: error,
  });
}
