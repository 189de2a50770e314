/** Every limit of the client library. Callers may change each of them; times in milliseconds, sizes in bytes. */
import type { PoolLimits } from "#net/connection-pool.ts";

export interface ClientLimits extends PoolLimits {
  /** How long to wait for what needs a server to read a whole file: CRC of an appender, its new name. */
  readonly slowAnswerMs: number;
  /** After the last byte of an upload the server may need time to flush: one millisecond for so many bytes. */
  readonly flushBytesPerMs: number;
  /** A tracker that could not be reached is asked last for so long. */
  readonly trackerRestMs: number;
  /** Storages that one upload is offered to, one after the other. */
  readonly maxUploadTargets: number;
  /** Storages that one read tries. */
  readonly maxReadTargets: number;
  /** How often a broken download tries to go on without receiving a byte; the pauses in between double from 100 ms on. */
  readonly maxFruitlessResumes: number;
  /** Longest content that is given back in one piece of memory. */
  readonly maxBytesInMemory: number;
}

export const defaultClientLimits: ClientLimits = {
  connectTimeoutMs: 5_000,
  networkTimeoutMs: 30_000,
  maxPerServer: 64,
  maxWaitingPerServer: 1024,
  maxIdlePerServer: 8,
  maxIdleMs: 300_000,
  testAfterIdleMs: 2_000,
  slowAnswerMs: 600_000,
  flushBytesPerMs: 4096,
  trackerRestMs: 10_000,
  maxUploadTargets: 8,
  maxReadTargets: 8,
  maxFruitlessResumes: 6,
  maxBytesInMemory: 64 * 1024 * 1024,
};
