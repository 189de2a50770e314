/**
 * The command line: finds the command, gives it its context, and turns how it ended into an exit code. Data goes to standard
 * output, messages to standard error. Runs in any world, also a test's.
 */

import type { CliParts, CliWorld } from "#cli/cli-world.ts";
import type { Command } from "#cli/command.ts";
import { CommandContext } from "#cli/command-context.ts";
import { commandGroups, commands, internalCommands } from "#cli/command-table.ts";
import { exitCodeOf, exitCodes } from "#cli/exit-codes.ts";
import { helpLines } from "#cli/help.ts";
import { Output } from "#cli/output.ts";
import { type ParsedArguments, parseArguments } from "#cli/parse-arguments.ts";

/** Resolves to the exit code; never rejects. */
export async function runCli(world: CliWorld, parts: CliParts): Promise<number> {
  const { terminal, environment } = world;
  const wantsJson = world.arguments.includes("--json");
  const plain = new Output(terminal, { json: wantsJson, quiet: false, environment });
  try {
    const parsed = parseArguments(world.arguments, [...commands, ...internalCommands]);
    if (parsed.kind === "version") {
      await plain.lines([`cairn ${parts.version}`]);
      return exitCodes.ok.code;
    }
    if (parsed.kind === "help") {
      await plain.lines(helpLines(parsed.words, { groups: commandGroups, style: plain.style }));
      return exitCodes.ok.code;
    }
    return await runCommand(parsed.command, parsed.arguments, { world, parts });
  } catch (error) {
    return reportFailure(error, plain);
  }
}

async function runCommand(
  command: Command,
  given: ParsedArguments,
  run: { readonly world: CliWorld; readonly parts: CliParts },
): Promise<number> {
  const { world, parts } = run;
  const { terminal, environment } = world;
  const output = new Output(terminal, {
    json: given.has("json"),
    quiet: given.has("quiet"),
    environment,
  });
  const interrupt = new AbortController();
  const forget =
    command.handlesInterrupts === true
      ? () => {}
      : terminal.onInterrupt(() => interrupt.abort(new Error("interrupted")));
  const { signal } = interrupt;
  const context = new CommandContext({
    arguments: given,
    world,
    parts,
    output,
    signal,
    groups: commandGroups,
  });
  try {
    const code = await command.run(context);
    return signal.aborted ? exitCodes.interrupted.code : (code ?? exitCodes.ok.code);
  } catch (error) {
    if (signal.aborted) {
      output.note("interrupted");
      return exitCodes.interrupted.code;
    }
    return reportFailure(error, output);
  } finally {
    context.close();
    forget();
  }
}

/** Says what went wrong, unless whoever read the output left: that needs no words. */
function reportFailure(error: unknown, output: Output): number {
  const code = exitCodeOf(error);
  if (code !== exitCodes.brokenPipe.code) output.error(error);
  return code;
}
