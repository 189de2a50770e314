/** What the walk asks of the system: programs with a deadline, the table of mounts, loop devices. Never waits in the test's own thread. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { programPath } from "../needs.ts";

const limitMs = 30_000;

/** Runs a program of the system and gives back what it printed. */
export async function ask(name: string, ...args: readonly string[]): Promise<string> {
  const program = programPath(name) ?? name;
  const { stdout } = await promisify(execFile)(program, args, { timeout: limitMs });
  return stdout;
}

export interface MountLine {
  readonly source: string;
  readonly point: string;
}

/** All mounts of this machine, the oldest first. */
export function mounts(): readonly MountLine[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({
      source: line.split(" - ")[1]?.split(" ")[1] ?? "",
      point: line.split(" ")[4] ?? "",
    }));
}

/** Loop devices that have a file behind them, each with that file. */
export function loops(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync("/sys/block")) {
    const path = `/sys/block/${name}/loop/backing_file`;
    if (existsSync(path)) found.set(name, readFileSync(path, "utf8").trim());
  }
  return found;
}

/** Ports of the walk: loop devices that nobody else is likely to be given. */
export const ports: readonly string[] = Array.from({ length: 32 }, (_, at) => `loop${16 + at}`);

/**
 * True where nothing is in the port. Where the kernel looks for no partitions by itself, it keeps those that it was told of for the next disk:
 * they are taken away here, as soon as nobody has them open.
 */
export async function isFree(port: string): Promise<boolean> {
  if (loops().has(port)) return false;
  if (!existsSync(`/sys/block/${port}/${port}p1`)) return true;
  await ask("delpart", `/dev/${port}`, "1").catch(() => "somebody has it open");
  return !existsSync(`/sys/block/${port}/${port}p1`);
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Until `holds` says so; rejects after `limitMs` with what it was about. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await pause(200);
  }
}
