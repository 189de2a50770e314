/** Sizes, times and durations as people read them. Pure. */

const units = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `1023 B`, `1.0 KiB`, `2.5 GiB`, `123 MiB`: three digits at most. */
export function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = "";
  for (const next of units) {
    if (value < 999.5 && unit !== "") break;
    value /= 1024;
    unit = next;
  }
  return value < 9.95 ? `${value.toFixed(1)} ${unit}` : `${Math.round(value)} ${unit}`;
}

/** `2026-11-23 02:00:59 UTC`. */
export function readableTime(unixSeconds: number): string {
  const at = new Date(unixSeconds * 1000);
  if (Number.isNaN(at.getTime())) return String(unixSeconds);
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `0 s`, `59 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`: the two largest units. */
export function readableDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** Eight hexadecimal digits. */
export function readableCrc32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
