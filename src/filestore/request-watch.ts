/**
 * How often requests of a store path failed because of its disk, and how long it takes for those of clients, by samples: one request in eight at most, and one at a time, so that it costs a
 * comparison for the others. Kept as counts by powers of the square root of two, of the last ten minutes and, fading, of the last days: what is
 * usual on this disk. Main thread.
 */
import { request } from "#filestore/worker-messages.ts";
import type { Clock } from "#platform/clock.ts";

export interface LatencySummary {
  /** Of the last ten minutes: one request of a hundred took longer. */
  readonly p99Ms: number;
  /** The same, as it usually is. */
  readonly usualP99Ms: number;
  /** Samples of the last ten minutes. */
  readonly samples: number;
}

/** Of a client that waits; walks and comparisons take as long as they like. */
const timed: ReadonlySet<number> = new Set([
  ...[request.write, request.read, request.remove, request.truncate],
  ...[request.readMetadata, request.writeMetadata],
]);

const sampleOneIn = 8;
const minuteMs = 60_000;
const minutes = 10;
/** From 2^-5 ms, 31 µs, to beyond five minutes. */
const buckets = 48;
const firstExponent = -5;
/** What is usual loses half its weight in half a day. */
const fadingEachMinute = 0.5 ** (1 / 720);
/** Fewer say nothing about one of a hundred. */
const leastSamples = 200;

export class RequestWatch {
  /** Since the start. */
  diskFailures = 0;
  readonly #clock: Clock | undefined;
  readonly #usual = new Float64Array(buckets);
  /** A ring of minutes. */
  readonly #recent = Array.from({ length: minutes }, () => new Uint32Array(buckets));
  #minute = 0;
  #skip = 0;
  /** Of the request that is being timed; 0 is none. */
  #id = 0;
  #sentMs = 0;

  /** Without a clock nothing is timed. */
  constructor(clock?: Clock) {
    this.#clock = clock;
  }

  /** A request is on its way. */
  sent(id: number, kind: number): void {
    if (this.#id !== 0 || this.#clock === undefined || !timed.has(kind)) return;
    this.#skip += 1;
    if (this.#skip < sampleOneIn) return;
    this.#skip = 0;
    this.#id = id;
    this.#sentMs = this.#clock.monotonicMs();
  }

  answered(id: number): void {
    if (id !== this.#id || this.#clock === undefined) return;
    this.#id = 0;
    const nowMs = this.#clock.monotonicMs();
    this.#turnTo(nowMs);
    const recent = this.#recent[this.#minute % minutes];
    const bucket = bucketOf(nowMs - this.#sentMs);
    if (recent !== undefined) recent[bucket] = (recent[bucket] ?? 0) + 1;
  }

  /** Gives `failure` back. */
  failed<Failure extends { readonly code: string }>(failure: Failure): Failure {
    if (failure.code === "disk-failed") this.diskFailures += 1;
    return failure;
  }

  /** The worker is another one: what it was asked is not answered any more. */
  forget(): void {
    this.#id = 0;
  }

  /** Undefined while too little is known. */
  get summary(): LatencySummary | undefined {
    if (this.#clock === undefined) return undefined;
    this.#turnTo(this.#clock.monotonicMs());
    const now = new Float64Array(buckets);
    for (const each of this.#recent) {
      each.forEach((count, at) => {
        add(now, at, count);
      });
    }
    const samples = sumOf(now);
    if (samples < leastSamples || sumOf(this.#usual) < leastSamples) return undefined;
    return { p99Ms: p99Of(now), usualP99Ms: p99Of(this.#usual), samples };
  }

  /** Minutes that left the ring become what is usual: what is slow now is not usual yet. */
  #turnTo(nowMs: number): void {
    const minute = Math.floor(nowMs / minuteMs);
    const passed = minute - this.#minute;
    if (passed <= 0) return;
    fade(this.#usual, passed);
    for (let left = 0; left < Math.min(minutes, passed); left += 1) {
      const oldest = this.#minute - minutes + 1 + left;
      const counts = this.#recent[(oldest + minutes) % minutes];
      const weight = fadingEachMinute ** Math.max(0, minute - oldest - minutes);
      counts?.forEach((count, at) => {
        add(this.#usual, at, count * weight);
      });
      counts?.fill(0);
    }
    this.#minute = minute;
  }
}

function fade(counts: Float64Array, passed: number): void {
  const weight = fadingEachMinute ** passed;
  for (let at = 0; at < buckets; at += 1) counts[at] = (counts[at] ?? 0) * weight;
}

function add(to: Float64Array, at: number, count: number): void {
  to[at] = (to[at] ?? 0) + count;
}

function bucketOf(ms: number): number {
  if (ms <= 2 ** firstExponent) return 0;
  return Math.min(buckets - 1, Math.ceil(2 * (Math.log2(ms) - firstExponent)));
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The upper bound of the bucket in which it lies. */
function p99Of(counts: Float64Array): number {
  let above = sumOf(counts) / 100;
  for (let at = buckets - 1; at >= 0; at -= 1) {
    above -= counts[at] ?? 0;
    if (above < 0) return 2 ** (firstExponent + at / 2);
  }
  return 0;
}
