/**
 * What the kernel says of the disk behind a device number (`/sys/dev/block/MAJ:MIN`): partitions have the queue of their disk, file
 * systems over several devices, and those without any, have none.
 */
import { readFileSync, realpathSync } from "node:fs";

/** Whether the disk turns; undefined where that is not told. `device` as `stat` gives it. */
export function isRotational(device: number, sys = "/sys"): boolean | undefined {
  const { major, minor } = splitDevice(device);
  const path = `${sys}/dev/block/${major}:${minor}`;
  const own = readQueue(path);
  if (own !== undefined) return own;
  try {
    return readQueue(`${realpathSync(path)}/..`);
  } catch {
    return undefined;
  }
}

/** The two numbers in a device number of Linux: 12 and 20 bits, with 32 and 32 foreseen. */
export function splitDevice(device: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(device);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

function readQueue(path: string): boolean | undefined {
  try {
    const text = readFileSync(`${path}/queue/rotational`, "utf8").trim();
    return text === "1" ? true : text === "0" ? false : undefined;
  } catch {
    return undefined;
  }
}
