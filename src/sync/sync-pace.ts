/**
 * How fast files are copied to a peer: the hours of the day in which they are, a pause after each, and a limit of bytes a second. Pure; times
 * come in.
 */

export interface SyncHours {
  /** Minutes since midnight, 0 … 1439; from the begin of the first to the end of the last. */
  readonly startMinute: number;
  readonly endMinute: number;
}

const minutesADay = 1440;

/** Hours that end before they begin go over midnight, as in C. */
export function hoursOpen({ startMinute, endMinute }: SyncHours, minuteOfDay: number): boolean {
  if (startMinute <= endMinute) return minuteOfDay >= startMinute && minuteOfDay <= endMinute;
  return minuteOfDay >= startMinute || minuteOfDay <= endMinute;
}

/** True where the hours are the whole day. */
export function isWholeDay({ startMinute, endMinute }: SyncHours): boolean {
  return (endMinute - startMinute + minutesADay) % minutesADay === minutesADay - 1;
}

/** A bucket that fills with time: who takes more than is there waits until it would have been. */
export class ByteBudget {
  /** 0 limits nothing. */
  readonly bytesPerSecond: number;
  #availableAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Takes `bytes`; milliseconds to wait before they are sent. What was not used in the last second is lost. */
  take(bytes: number, nowMs: number): number {
    if (this.bytesPerSecond === 0) return 0;
    const start = Math.max(this.#availableAtMs, nowMs - 1000);
    this.#availableAtMs = start + (bytes * 1000) / this.bytesPerSecond;
    return Math.max(0, start - nowMs);
  }
}
