/** How a download is cut into stretches that are fetched at the same time, and what of it is there already. Pure. */

export interface Lane {
  /** Bytes from the start of what is fetched; `end` is behind the last one. */
  readonly start: number;
  readonly end: number;
  /** Bytes from `start` on that are in the file. */
  readonly done: number;
}

/** Shorter stretches are not worth a connection. */
export const leastLaneBytes = 1024 * 1024;
export const maxLanes = 16;

/** `total` bytes in at most `count` stretches of nearly the same length, none shorter than is worth it. */
export function planLanes(total: number, count: number): readonly Lane[] {
  const worth = Math.max(1, Math.floor(total / leastLaneBytes));
  const lanes = Math.max(1, Math.min(count, maxLanes, worth));
  const step = Math.ceil(total / lanes);
  return Array.from({ length: lanes }, (_, at) => ({
    start: at * step,
    end: Math.min(total, (at + 1) * step),
    done: 0,
  }));
}

/** What is missing of `lanes`, in at most `count` stretches: the longest rests are split while there are too few. */
export function replanLanes(lanes: readonly Lane[], count: number): readonly Lane[] {
  const plan = lanes.filter((lane) => lane.done < lane.end - lane.start);
  while (plan.length > 0 && plan.length < Math.min(count, maxLanes)) {
    const longest = plan.reduce((best, lane) => (restOf(lane) > restOf(best) ? lane : best));
    const rest = restOf(longest);
    if (rest < 2 * leastLaneBytes) break;
    const middle = longest.end - Math.floor(rest / 2);
    plan.splice(
      plan.indexOf(longest),
      1,
      { ...longest, end: middle },
      { start: middle, end: longest.end, done: 0 },
    );
  }
  return plan;
}

export function restOf(lane: Lane): number {
  return lane.end - lane.start - lane.done;
}

/** True when the stretches, in any order, are `total` bytes without a gap or an overlap. */
export function areWhole(lanes: readonly Lane[], total: number): boolean {
  let at = 0;
  for (const lane of lanes.toSorted((one, other) => one.start - other.start)) {
    const fits = lane.start === at && lane.end >= lane.start && lane.done <= lane.end - lane.start;
    if (!fits || lane.done < 0) return false;
    at = lane.end;
  }
  return at === total;
}
