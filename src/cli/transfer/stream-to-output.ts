/** Sends a file to standard output, no faster than whoever reads it. */
import { crc32 } from "node:zlib";
import type { CommandContext } from "#cli/command-context.ts";
import { crcMismatch } from "#client/download.ts";

/** Bytes that may wait for the reader. */
const maxWaitingBytes = 1024 * 1024;

export interface StreamJob {
  readonly fileId: string;
  readonly offset: number;
  readonly total: number;
  /** What the CRC-32 must be; a mismatch is known only after the last byte. */
  readonly crc32: number | undefined;
}

/** Rejects with `crc-mismatch` when all was written, with `FileError("EPIPE")` when the reader left. */
export async function streamToOutput(context: CommandContext, job: StreamJob): Promise<void> {
  if (job.total === 0) return;
  const { terminal } = context.world;
  const download = await context.client().download(job.fileId, {
    offset: job.offset,
    length: job.total,
    signal: context.signal,
  });
  let waiting = 0;
  let paused = false;
  let sum = 0;
  let failure: unknown;
  let last: Promise<void> = Promise.resolve();
  const pass = async (bytes: Buffer): Promise<void> => {
    if (failure === undefined) await terminal.writeOutput(bytes);
    waiting -= bytes.length;
    if (paused && waiting <= maxWaitingBytes / 2) {
      paused = false;
      download.resume();
    }
  };
  const broken = await download
    .drainTo({
      write: (chunk) => {
        // The receive buffer is used again.
        const bytes = Buffer.from(chunk);
        sum = crc32(bytes, sum);
        waiting += bytes.length;
        last = last
          .then(() => pass(bytes))
          .catch((error: unknown) => {
            failure ??= error;
            download.close();
          });
        paused = waiting > maxWaitingBytes;
        return !paused;
      },
    })
    .then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
  await last;
  if (failure !== undefined) throw failure;
  if (broken !== undefined) throw broken.error;
  if (job.crc32 !== undefined && sum !== job.crc32) throw crcMismatch(job.fileId, job.crc32, sum);
}
