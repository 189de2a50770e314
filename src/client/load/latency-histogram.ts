/**
 * Times of many operations in a fixed amount of memory: counts in classes whose width grows with the time, so that a percentile
 * is at most 1/64 above the true one. No sample is kept, and recording one costs a few additions. Pure.
 */

/** Classes of one octave. */
const perOctave = 64;
const octaveBits = 6;
/** Times are counted in eighths of a microsecond. */
const unitsPerMs = 8000;
/** Longer times, from about 268 s on, count as this. */
const mostUnits = 2 ** 31 - 1;
const classCount = (31 - octaveBits + 1) * perOctave;

export class LatencyHistogram {
  readonly #counts = new Uint32Array(classCount);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Exact; 0 without times. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  record(ms: number): void {
    const units = Math.min(mostUnits, Math.max(0, Math.round(ms * unitsPerMs)));
    const at = classOf(units);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count += 1;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  add(other: LatencyHistogram): void {
    for (let at = 0; at < classCount; at += 1) {
      this.#counts[at] = (this.#counts[at] as number) + (other.#counts[at] as number);
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The time that `percent` of the operations did not exceed, in milliseconds; 0 without times. */
  percentileMs(percent: number): number {
    if (this.#count === 0) return 0;
    let rest = Math.max(1, Math.ceil((this.#count * percent) / 100));
    for (let at = 0; at < classCount; at += 1) {
      rest -= this.#counts[at] as number;
      if (rest <= 0) return Math.min(this.#maxMs, lastUnitOf(at) / unitsPerMs);
    }
    return this.#maxMs;
  }
}

/** Times below one octave have a class each. */
function classOf(units: number): number {
  if (units < perOctave) return units;
  const shift = 31 - octaveBits - Math.clz32(units);
  return (shift + 1) * perOctave + (units >>> shift) - perOctave;
}

/** The longest time of a class. */
function lastUnitOf(at: number): number {
  if (at < perOctave) return at;
  const shift = Math.floor(at / perOctave) - 1;
  return ((at % perOctave) + perOctave + 1) * 2 ** shift - 1;
}
