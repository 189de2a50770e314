/** How fast something goes on, and when it will have ended: over the last while, not over all of it. Pure but for the times it is given. */

interface Point {
  readonly atMs: number;
  readonly files: number;
  readonly bytes: number;
}

const points = 12;

export class ProgressRate {
  readonly #windowMs: number;
  #points: Point[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** To be called now and then; more often than a twelfth of the window changes nothing. */
  note(point: Point): void {
    const last = this.#points.at(-1);
    if (last !== undefined && point.atMs - last.atMs < this.#windowMs / points) return;
    this.#points = [
      ...this.#points.filter(({ atMs }) => point.atMs - atMs <= this.#windowMs),
      point,
    ];
  }

  /** Per second, until `now`; 0 where nothing is known. */
  rates(now: Point): { readonly filesPerSecond: number; readonly bytesPerSecond: number } {
    const first = this.#points[0];
    const seconds = first === undefined ? 0 : (now.atMs - first.atMs) / 1000;
    if (first === undefined || seconds <= 0) return { filesPerSecond: 0, bytesPerSecond: 0 };
    return {
      filesPerSecond: (now.files - first.files) / seconds,
      bytesPerSecond: (now.bytes - first.bytes) / seconds,
    };
  }
}
