/** Why operations failed, in words, with how often. */
import { wireStatus } from "#protocol/wire-status.ts";

const statusWords: ReadonlyMap<number, string> = new Map(
  Object.entries(wireStatus).map(([name, status]) => [
    status,
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]),
);

/** `status 28 (no space)`. */
export function wordsOfStatus(status: number): string {
  const words = statusWords.get(status);
  return words === undefined ? `status ${status}` : `status ${status} (${words})`;
}

const errnoWords: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["EPIPE", "connection closed"],
  ["ETIMEDOUT", "timed out"],
  ["EHOSTUNREACH", "host unreachable"],
  ["ENETUNREACH", "network unreachable"],
  ["EADDRNOTAVAIL", "no local port left"],
  ["EMFILE", "too many open files here"],
  ["ENOTFOUND", "unknown host"],
]);

/** Of a connection that could not be opened or broke; an orderly end comes without an error. */
export function wordsOfBreak(error: unknown): string {
  if (error === undefined) return "connection closed";
  const code = (error as { readonly code?: unknown }).code;
  const known = typeof code === "string" ? errnoWords.get(code) : undefined;
  return known ?? (error instanceof Error ? error.message : String(error));
}

export class FailureCounts {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  count(words: string, times: number = 1): void {
    this.#counts.set(words, (this.#counts.get(words) ?? 0) + times);
    this.#total += times;
  }

  add(other: FailureCounts): void {
    for (const [words, times] of other.#counts) this.count(words, times);
  }

  /** The most frequent first. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].toSorted((one, next) => next[1] - one[1]);
  }
}
