/** Figures as people read them. Pure. */

/** Three digits: `0.41`, `5.7`, `123`, `12345`; `-` where it is not known. */
export function shortNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "-";
  if (value === 0 || value >= 99.95) return String(Math.round(value));
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(value >= 0.0995 ? 2 : 3);
}

/** `58 MiB`, or `-`. */
export function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "-" : String(Math.round(bytes / (1024 * 1024)));
}
