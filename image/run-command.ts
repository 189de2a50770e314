/** Runs a program of the build and waits for it; its output passes through. */
import { spawnSync } from "node:child_process";

export interface RunOptions {
  readonly cwd: string;
}

/** No step of the build takes longer on the slowest machine seen. */
const timeoutMs = 10 * 60 * 1000;

/** Throws where the program is missing, fails or takes too long. */
export function runCommand(program: string, args: readonly string[], options: RunOptions): void {
  const result = spawnSync(program, args, {
    cwd: options.cwd,
    timeout: timeoutMs,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${result.status ?? result.signal}`);
  }
}

/** Whether the system has a program of that name. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore", timeout: timeoutMs }).status === 0;
}
