/** When a trunk server compresses its binlog (protocol §4.6): at a time of the day, and every interval from there. Pure. */
import type { CompressionTimes } from "#storage/trunk-parameters.ts";

/** Not while those who start together still settle. */
const restAfterStartSeconds = 600;
const daySeconds = 86_400;

export interface CompressionState {
  /** Seconds by the node's clock since its local midnight. */
  readonly secondOfDay: number;
  /** Seconds since this trunk server began to serve, and since the last compression; undefined where there was none. */
  readonly servingSeconds: number;
  readonly sinceLastSeconds: number | undefined;
  /** Something was written since the last compression. */
  readonly changed: boolean;
}

/** `periodSeconds` is how often this is asked: the time has come within the last period. */
export function compressionIsDue(
  times: CompressionTimes,
  state: CompressionState,
  periodSeconds: number,
): boolean {
  const { intervalSeconds, minIntervalSeconds, timeBase } = times;
  if (intervalSeconds === 0 || !state.changed) return false;
  if (state.servingSeconds < restAfterStartSeconds) return false;
  const { sinceLastSeconds } = state;
  if (sinceLastSeconds !== undefined && sinceLastSeconds < minIntervalSeconds) return false;
  const base = timeBase.hour * 3600 + timeBase.minute * 60;
  // Intervals above a day count from the last compression, at that time of the day.
  if (
    intervalSeconds > daySeconds &&
    (sinceLastSeconds ?? daySeconds) < intervalSeconds - daySeconds
  ) {
    return false;
  }
  const since = (state.secondOfDay - base + daySeconds) % Math.min(intervalSeconds, daySeconds);
  return since < periodSeconds;
}
