/** What somebody probably meant who mistyped a word. Pure. */

/** Longer words are not compared, so that the cost is bounded. */
const longestCompared = 40;

/** The nearest of `words` when it is near enough to be meant. */
export function nearestWord(typed: string, words: readonly string[]): string | undefined {
  if (typed.length > longestCompared) return undefined;
  const lower = typed.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const word of words) {
    const distance = word.startsWith(lower) && lower.length > 1 ? 1 : editDistance(lower, word);
    if (distance < least) {
      best = word;
      least = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `one` into `other`. */
export function editDistance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const row = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const same = one[at - 1] === other[to - 1];
      const swapped =
        at > 1 && to > 1 && one[at - 1] === other[to - 2] && one[at - 2] === other[to - 1];
      const distances = [
        (last[to - 1] ?? 0) + (same ? 0 : 1),
        (last[to] ?? 0) + 1,
        (row[to - 1] ?? 0) + 1,
      ];
      if (swapped) distances.push((beforeLast[to - 2] ?? 0) + 1);
      row.push(Math.min(...distances));
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length] ?? 0;
}
