/** Numbers that peers tell us, which fill 64 bits on the wire, brought to what a number holds exactly. Pure. */

export function storable(value: number): number {
  return Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** For counts and sizes, which are never negative. */
export function storableSize(value: number): number {
  return Math.min(Math.max(value, 0), Number.MAX_SAFE_INTEGER);
}
