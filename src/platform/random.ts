/** Randomness as the code sees it. Simulation passes a seeded one in. */
export interface Random {
  /** A uniform integer, 0 <= result < limit, limit at most 2^32. */
  below(limit: number): number;
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
}
