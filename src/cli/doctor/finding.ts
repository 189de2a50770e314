/** What a check of `cairn doctor` found. */

export type Verdict =
  | "good"
  /** Works, but somebody should know. */
  | "warning"
  /** Does not work, or will not. */
  | "bad"
  /** Cannot be told from here. */
  | "unknown";

export interface Finding {
  /** What was looked at: `clock`, `store path 0`. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What is. */
  readonly finding: string;
  /** What to do. */
  readonly advice?: string;
}
