/** Runs a program that does its work or says why not. Every parameter was made here or checked. */
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { CommandEnd } from "#platform/commands.ts";

export interface ProgramLimits {
  readonly deadlineMs: number;
}

const maxOutputBytes = 64 * 1024;
const maxSaidCharacters = 500;

/** Rejects with `program-failed` and its own words, or as `Commands` does. */
export async function runProgram(
  world: HelperWorld,
  [program, ...parameters]: readonly [string, ...string[]],
  { deadlineMs }: ProgramLimits,
): Promise<CommandEnd> {
  const end = await world.commands.run(program, parameters, { deadlineMs, maxOutputBytes });
  if (end.code === 0) return end;
  const said = `${end.stderr.trim() || end.stdout.trim()}`.slice(0, maxSaidCharacters);
  throw helperError(
    "program-failed",
    `${program} failed (${end.code ?? "ended by a signal"}): ${said}`,
  );
}
