/**
 * Reading a file or a range of it as a stream that survives the failure of a storage: when one breaks in the middle, the rest
 * comes from the next one, since files do not change under their id (appender files do, and are not continued). Empty files
 * and ranges past the end differ between releases (protocol §2.6/14, §13.2), so that a refusal is looked into, not passed on.
 */
import { crc32 } from "node:zlib";
import { describeError, hasCode } from "#base/app-error.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { clientError } from "#client/errors.ts";
import { call } from "#client/exchange.ts";
import { describeFailure, failureOf } from "#client/failures.ts";
import { type FileOfGroup, readTargets } from "#client/read-targets.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";
import type { Lease } from "#net/connection-pool.ts";
import { delay } from "#platform/clock.ts";
import {
  downloadFile,
  queryFileInfo,
  queryFileInfoFlags,
} from "#protocol/fastdfs/storage-files.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

/** Before a storage is asked again that broke without sending a byte; doubled each time. */
const firstPauseMs = 100;

/** Bytes of a file on their way. Either `drainTo` or `close` must be called. */
export interface Download extends ByteFlow {
  /** The storage that they come from at the moment. */
  readonly server: Endpoint;
  /** Gives up what has not arrived. */
  close(): void;
}

export interface ReadJob {
  readonly file: FileOfGroup;
  /** Bytes from the start. */
  readonly offset: number;
  /** Bytes; 0 reads to the end. */
  readonly length: number;
  /** The name says that the file is empty, which a download of it cannot tell from a wrong range. */
  readonly emptyByName: boolean;
  /** Other storages have the same bytes. */
  readonly resumable: boolean;
  /** What the CRC-32 of all bytes must be, unsigned; undefined checks nothing. */
  readonly crc32: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Rejects with `AppError<ClientErrorCode>`. */
export async function openDownload(parts: ClientParts, job: ReadJob): Promise<Download> {
  const targets = readTargets(parts, job.file, { signal: job.signal, first: "any-replica" });
  const run = new StorageRun(parts, job, targets);
  const part = await run.open(job.offset, job.length);
  return new ResumingDownload(run, job, part);
}

/** What one storage delivers; `lease` is undefined where nothing has to be delivered. */
interface Part {
  readonly flow: ByteFlow;
  readonly lease: Lease | undefined;
  readonly server: Endpoint;
}

/** Finds a storage for each stretch of the file. */
class StorageRun {
  readonly #parts: ClientParts;
  readonly #job: ReadJob;
  #targets: AsyncGenerator<Endpoint, void, void>;

  constructor(parts: ClientParts, job: ReadJob, targets: AsyncGenerator<Endpoint, void, void>) {
    this.#parts = parts;
    this.#job = job;
    this.#targets = targets;
  }

  /** For a stretch that follows a failure, the `fruitless`th in a row: all storages may be asked again, after a while. */
  async startOver(fruitless: number): Promise<void> {
    const { file, signal } = this.#job;
    if (fruitless > 0) {
      await delay(this.#parts.clock, firstPauseMs * 2 ** (fruitless - 1), signal);
    }
    this.#targets = readTargets(this.#parts, file, { signal, first: "any-replica" });
  }

  /** `cause` is thrown when no storage is left to ask. */
  async open(offset: number, length: number, cause?: unknown): Promise<Part> {
    const { log } = this.#parts;
    const action = `read ${nameOf(this.#job.file)}`;
    let missing: unknown;
    let worse: unknown;
    for (;;) {
      const next = await this.#targets.next();
      if (next.done === true) throw worse ?? missing ?? cause ?? exhausted(this.#job.file);
      const server = next.value;
      try {
        return await this.#openAt(server, offset, length);
      } catch (error) {
        const failure = failureOf(error);
        const described = describeFailure(error, { action, server });
        if (failure === undefined) throw described;
        if (failure.kind === "status" && failure.status === wireStatus.invalid) throw described;
        const isMissing = failure.kind === "status" && failure.status === wireStatus.notFound;
        if (isMissing) missing ??= described;
        else worse ??= described;
        log.debug("read-goes-elsewhere", {
          storage: formatEndpoint(server),
          why: describeError(error),
        });
      }
    }
  }

  async #openAt(server: Endpoint, offset: number, length: number): Promise<Part> {
    if (this.#job.emptyByName) {
      const size = await this.#sizeAt(server);
      if (size === 0) return emptyPart(server, { offset, size, file: this.#job.file });
    }
    try {
      return await this.#request(server, offset, length);
    } catch (error) {
      const isRefusal = error instanceof WireStatusError && error.status === wireStatus.invalid;
      if (!isRefusal) throw error;
      const size = await this.#sizeAt(server);
      if (offset >= size) return emptyPart(server, { offset, size, file: this.#job.file });
      // Before 6.15.4 a range must not reach past the end.
      if (length > size - offset) return await this.#request(server, offset, size - offset);
      throw error;
    }
  }

  /** Over a fresh connection where the pooled one was dead. */
  async #request(server: Endpoint, offset: number, length: number): Promise<Part> {
    const { pool } = this.#parts;
    const { signal } = this.#job;
    const first = await pool.lease(server, { signal });
    try {
      return await this.#requestOver(first, server, { offset, length });
    } catch (error) {
      if (!first.reused || failureOf(error)?.kind !== "broken") throw error;
    }
    pool.forget(server);
    const second = await pool.lease(server, { signal, fresh: true });
    return await this.#requestOver(second, server, { offset, length });
  }

  async #requestOver(
    lease: Lease,
    server: Endpoint,
    range: { readonly offset: number; readonly length: number },
  ): Promise<Part> {
    const { file, signal } = this.#job;
    const onAbort = (): void => lease.client.destroy();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const { offset, length } = range;
      const { group, filename } = file;
      const flow = await lease.client.download(downloadFile, { offset, length, group, filename });
      return { flow, lease, server };
    } catch (error) {
      const usable = error instanceof WireStatusError && error.status !== wireStatus.invalid;
      if (usable) lease.giveBack();
      else lease.drop();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #sizeAt(server: Endpoint): Promise<number> {
    const { group, filename } = this.#job.file;
    const { withoutCrc32, silentWhenMissing } = queryFileInfoFlags;
    const info = await call(this.#parts.pool, server, {
      message: queryFileInfo,
      request: { headerStatus: withoutCrc32 | silentWhenMissing, group, filename },
      signal: this.#job.signal,
      repeatable: true,
    });
    return info.fileSize;
  }

  get maxFruitlessResumes(): number {
    return this.#parts.limits.maxFruitlessResumes;
  }
}

class ResumingDownload implements Download {
  readonly length: number;
  readonly #run: StorageRun;
  readonly #job: ReadJob;
  #part: Part;
  #received = 0;
  #crc32 = 0;
  #ended = false;

  constructor(run: StorageRun, job: ReadJob, part: Part) {
    this.#run = run;
    this.#job = job;
    this.#part = part;
    this.length = part.flow.length;
  }

  get server(): Endpoint {
    return this.#part.server;
  }

  resume(): void {
    this.#part.flow.resume();
  }

  close(): void {
    this.#ended = true;
    this.#part.lease?.drop();
  }

  async drainTo(sink: ByteSink): Promise<void> {
    const counting: ByteSink = {
      write: (chunk) => {
        this.#received += chunk.length;
        if (this.#job.crc32 !== undefined) this.#crc32 = crc32(chunk, this.#crc32);
        return sink.write(chunk);
      },
    };
    let fruitless = 0;
    for (;;) {
      const before = this.#received;
      try {
        await this.#drainPart(counting);
        break;
      } catch (error) {
        if (this.#received > before) fruitless = 0;
        fruitless = await this.#goOnAfter(error, fruitless);
      }
    }
    this.#checkCrc();
  }

  async #drainPart(sink: ByteSink): Promise<void> {
    const { flow, lease } = this.#part;
    const { signal } = this.#job;
    const onAbort = (): void => lease?.drop();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await flow.drainTo(sink);
      lease?.giveBack();
    } catch (error) {
      lease?.drop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Opens the rest elsewhere, or throws what the caller is to know. Resolves to the number of fruitless tries so far. */
  async #goOnAfter(error: unknown, fruitlessBefore: number): Promise<number> {
    const { file, signal, resumable } = this.#job;
    signal?.throwIfAborted();
    const action = `read ${nameOf(file)}`;
    let last = describeFailure(error, { action, server: this.#part.server });
    const broken = failureOf(error)?.kind === "broken" && !this.#ended;
    if (!broken || !resumable) throw last;
    for (let fruitless = fruitlessBefore; fruitless < this.#run.maxFruitlessResumes; ) {
      await this.#run.startOver(fruitless);
      fruitless += 1;
      try {
        await this.#openRest(last);
        return fruitless;
      } catch (failed) {
        last = failed;
        if (!isTransient(failed)) throw failed;
      }
    }
    throw last;
  }

  async #openRest(cause: unknown): Promise<void> {
    const rest = this.length - this.#received;
    this.#part = await this.#run.open(this.#job.offset + this.#received, rest, cause);
    if (this.#part.flow.length === rest) return;
    this.#part.lease?.drop();
    throw clientError(
      "file-changed",
      `${nameOf(this.#job.file)} became shorter or longer while it was read: read it again`,
    );
  }

  #checkCrc(): void {
    const expected = this.#job.crc32;
    if (expected === undefined || expected === this.#crc32) return;
    throw crcMismatch(nameOf(this.#job.file), expected, this.#crc32);
  }
}

/** Servers that are restarting look like this for a while. */
function isTransient(error: unknown): boolean {
  return (
    hasCode(error, "storage-unreachable") ||
    hasCode(error, "connection-broken") ||
    hasCode(error, "trackers-unreachable")
  );
}

/** For bytes that are not those which the file id was made for. */
export function crcMismatch(fileId: string, expected: number, received: number): Error {
  return clientError(
    "crc-mismatch",
    `${fileId} arrived with CRC-32 ${hex(received)}, but its id says ${hex(expected)}: the file is damaged, or an id of a deduplicating FastDFS, which carries no CRC-32`,
    { details: { expected, received } },
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function nameOf(file: FileOfGroup): string {
  return `${file.group}/${file.filename}`;
}

/** What is read at or past the end of a file of `size` bytes. */
function emptyPart(
  server: Endpoint,
  place: { readonly offset: number; readonly size: number; readonly file: FileOfGroup },
): Part {
  const { offset, size, file } = place;
  if (offset > size) {
    throw clientError(
      "range-invalid",
      `cannot read ${nameOf(file)} from byte ${offset} on: it has ${size} bytes`,
      { details: { offset, size } },
    );
  }
  const flow = { length: 0, drainTo: async () => {}, resume: () => {} };
  return { flow, lease: undefined, server };
}

function exhausted(file: FileOfGroup): Error {
  return clientError("connection-broken", `no storage is left to read ${nameOf(file)} from`);
}
