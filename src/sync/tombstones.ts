/**
 * Names that were deleted here a short while ago: what a peer that has not heard of it sends, or would give, must not bring them back.
 * Bounded in number and age; after a restart they come from the end of the binlogs. Pure; times come in.
 *
 * Kept in two generations, of which the older one is dropped whole. One map whose oldest names are taken out one by one would have to be
 * searched for its first name past all that were taken before, which made each deletion of a busy storage cost three times as much.
 */
export const tombstoneMs = 60 * 60_000;
/** Of the names deleted last, this many are surely known; at most twice as many are kept. */
export const minTombstones = 32_768;

export class Tombstones {
  /** Name to when it may be forgotten. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngSinceMs = 0;

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  add(name: string, nowMs: number): void {
    if (this.#young.size >= minTombstones || nowMs - this.#youngSinceMs >= tombstoneMs) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSinceMs = nowMs;
    }
    this.#young.set(name, nowMs + tombstoneMs);
  }

  /** It was made again, under the same name. */
  remove(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }

  has(name: string, nowMs: number): boolean {
    const until = this.#young.get(name) ?? this.#old.get(name);
    return until !== undefined && until > nowMs;
  }
}
