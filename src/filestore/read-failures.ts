/**
 * Whether the disk of a store path fails often enough that new files had better go elsewhere: single sectors that cannot be read are what
 * scrubs and peers are for, many within minutes are a disk that goes. What is there is served on. Pure.
 */

/** So many within the window say that it is not one bad spot that somebody asks for again and again. */
export const manyFailures = 8;
const windowMs = 10 * 60_000;
/** After the last failure of many. */
export const avoidedMs = 60 * 60_000;

export class ReadFailures {
  #known: number | undefined;
  #windowBeganMs = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #avoidedUntilMs = Number.NEGATIVE_INFINITY;

  /** `total`: failures so far, which only grows, or starts anew. True where this is news: many failed. */
  look(total: number, nowMs: number): boolean {
    const grown = this.#known === undefined ? 0 : Math.max(0, total - this.#known);
    this.#known = total;
    if (grown === 0) return false;
    if (nowMs - this.#windowBeganMs > windowMs) {
      this.#windowBeganMs = nowMs;
      this.#inWindow = 0;
    }
    this.#inWindow += grown;
    if (this.#inWindow < manyFailures) return false;
    const isNews = !this.isMany(nowMs);
    this.#avoidedUntilMs = nowMs + avoidedMs;
    return isNews;
  }

  isMany(nowMs: number): boolean {
    return nowMs < this.#avoidedUntilMs;
  }
}
