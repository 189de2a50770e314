/** CPU time and peak memory of processes on this machine, as Linux tells them in `/proc`. */
import type { LocalFiles } from "#platform/local-files.ts";

export interface ProcessUsage {
  /** User and system time so far. */
  readonly cpuSeconds: number;
  /** The most that was in memory since the process started. */
  readonly peakBytes: number;
}

/** Clock ticks of `/proc/PID/stat` are hundredths of a second on every Linux that there is. */
const ticksPerSecond = 100;

/** The sum over all of them; undefined without processes, or when one is not there, or cannot be looked at. */
export async function usageOf(
  files: Pick<LocalFiles, "readText">,
  processes: readonly (number | "self")[],
): Promise<ProcessUsage | undefined> {
  if (processes.length === 0) return undefined;
  const found = await Promise.all(processes.map((id) => usageOfOne(files, id)));
  let cpuSeconds = 0;
  let peakBytes = 0;
  for (const one of found) {
    if (one === undefined) return undefined;
    cpuSeconds += one.cpuSeconds;
    peakBytes += one.peakBytes;
  }
  return { cpuSeconds, peakBytes };
}

async function usageOfOne(
  files: Pick<LocalFiles, "readText">,
  id: number | "self",
): Promise<ProcessUsage | undefined> {
  const [stat, status] = await Promise.all([
    readOrNothing(files, `/proc/${id}/stat`),
    readOrNothing(files, `/proc/${id}/status`),
  ]);
  const cpuSeconds = parseCpuSeconds(stat ?? "");
  const peakBytes = parsePeakBytes(status ?? "");
  return cpuSeconds === undefined || peakBytes === undefined
    ? undefined
    : { cpuSeconds, peakBytes };
}

/** From the text of `/proc/PID/stat`; the name of the program, in brackets, may have anything in it. */
export function parseCpuSeconds(text: string): number | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return Number.isFinite(user + system) ? (user + system) / ticksPerSecond : undefined;
}

/** From the text of `/proc/PID/status`. */
export function parsePeakBytes(text: string): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

async function readOrNothing(
  files: Pick<LocalFiles, "readText">,
  path: string,
): Promise<string | undefined> {
  try {
    return await files.readText(path);
  } catch {
    // A process of somebody else, or one that ends just now: not known.
    return undefined;
  }
}
