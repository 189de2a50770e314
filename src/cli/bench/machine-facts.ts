/** The machine that a benchmark runs on, for whoever reads its figures elsewhere. */
import type { LocalFiles } from "#platform/local-files.ts";
import type { Machine } from "#platform/machine.ts";

export interface MachineFacts {
  readonly cpu: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Kernel and architecture. */
  readonly system: string;
  /** Of the process that made the load. */
  readonly node: string;
}

export async function machineFacts(
  machine: Machine,
  files: Pick<LocalFiles, "readText">,
): Promise<MachineFacts> {
  const { cpuCount, memoryBytes, system, runtimeVersion } = machine;
  const cpu = parseCpuModel(await cpuInfo(files));
  return { cpu, cpuCount, memoryBytes, system, node: runtimeVersion };
}

async function cpuInfo(files: Pick<LocalFiles, "readText">): Promise<string> {
  try {
    return (await files.readText("/proc/cpuinfo")) ?? "";
  } catch {
    return "";
  }
}

/** From the text of `/proc/cpuinfo`, which names ARM cores by numbers only; `unknown` where it says nothing. */
export function parseCpuModel(text: string): string {
  const named = /^(?:model name|Model|Hardware)\s*:\s*(.+)$/m.exec(text)?.[1];
  const part = /^CPU part\s*:\s*(.+)$/m.exec(text)?.[1];
  return (named ?? (part === undefined ? "unknown" : `part ${part}`)).trim();
}
