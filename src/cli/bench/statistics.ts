/** Numbers about several rounds. Pure. */

/** The middle one, or the mean of the two middle ones; undefined without any. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Of those that are known; undefined when none is. */
export function knownMedian(values: readonly (number | undefined)[]): number | undefined {
  return median(values.filter((value) => value !== undefined));
}
