/** Commands that work on several things: what fails does not keep the others from being done. */
import { hasCode } from "#base/app-error.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodeOf, exitCodes, jointExitCode } from "#cli/exit-codes.ts";
import { errorValue } from "#cli/output.ts";

export interface ItemFailure {
  /** As given by the person. */
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

export interface EachResult {
  readonly failures: readonly ItemFailure[];
  readonly exitCode: number;
}

/**
 * Runs `work` on one item after the other and reports each failure as it comes. Rejects at once when the command is
 * interrupted, used wrongly, or nobody reads its output any more.
 */
export async function eachItem(
  context: CommandContext,
  items: readonly string[],
  work: (item: string, at: number) => Promise<void>,
): Promise<EachResult> {
  const failures: ItemFailure[] = [];
  const codes: number[] = [];
  for (const [at, item] of items.entries()) {
    try {
      context.signal.throwIfAborted();
      await work(item, at);
    } catch (error) {
      const exitCode = exitCodeOf(error);
      const endsAll = context.signal.aborted || hasCode(error, "usage");
      if (endsAll || exitCode === exitCodes.brokenPipe.code) throw error;
      codes.push(exitCode);
      failures.push({ item, ...errorValue(error) });
      context.output.error(error);
    }
  }
  return { failures, exitCode: jointExitCode(codes) };
}
