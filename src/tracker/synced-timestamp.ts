/** Up to when a storage has what its peers stored, from its sync report (protocol §2.4/89). Pure. */

/**
 * `reported` are the timestamps that count: of known, active sources and not 0. With round robin over servers every source
 * stores, so the slowest one decides; otherwise one storage takes nearly all uploads, and its timestamp is the greatest.
 */
export function syncedTimestamp(
  before: number,
  reported: readonly number[],
  storeServer: "round-robin" | "first" | "priority",
): number {
  if (reported.length === 0) return before;
  return storeServer === "round-robin" ? Math.min(...reported) : Math.max(before, ...reported);
}
