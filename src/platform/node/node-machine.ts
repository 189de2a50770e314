/** The real machine, as far as `/proc` and `/run` tell. */
import { access, readFile } from "node:fs/promises";
import { availableParallelism, release, totalmem, type } from "node:os";
import type { Machine, OpenFilesLimit } from "#platform/machine.ts";

export function nodeMachine(): Machine {
  return {
    runtimeVersion: process.versions.node,
    system: `${type()} ${release()} ${process.arch}`,
    cpuCount: availableParallelism(),
    memoryBytes: totalmem(),
    openFilesLimit: async () => {
      const text = await readOrNothing("/proc/self/limits");
      return text === undefined ? undefined : parseOpenFilesLimit(text);
    },
    clockIsSynchronized,
  };
}

/** From the text of `/proc/self/limits`. */
export function parseOpenFilesLimit(text: string): OpenFilesLimit | undefined {
  const found = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text);
  if (found === null) return undefined;
  const [, soft, hard] = found;
  return { soft: limitOf(soft), hard: limitOf(hard) };
}

function limitOf(word: string | undefined): number | undefined {
  return word === undefined || word === "unlimited" ? undefined : Number(word);
}

/** systemd-timesyncd leaves a mark when it has the time. */
async function clockIsSynchronized(): Promise<boolean | undefined> {
  const hasTimesync = await exists("/run/systemd/timesync");
  if (hasTimesync) return await exists("/run/systemd/timesync/synchronized");
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
