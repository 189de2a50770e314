/** A command's context in a test's world, for what commands are made of. */
import { CommandContext } from "#cli/command-context.ts";
import { commandGroups } from "#cli/command-table.ts";
import { Output } from "#cli/output.ts";
import { ParsedArguments } from "#cli/parse-arguments.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import type { TestWorld } from "./test-world.ts";

export interface ContextOptions {
  readonly positionals?: readonly string[];
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly signal?: AbortSignal;
}

export function contextOf(world: TestWorld, options: ContextOptions = {}): CommandContext {
  const { terminal, environment, files, machine, network, directory } = world;
  const values = new Map(Object.entries(options.values ?? {}));
  return new CommandContext({
    arguments: new ParsedArguments(options.positionals ?? [], values),
    world: {
      arguments: [],
      environment,
      workingDirectory: directory,
      terminal,
      files,
      machine,
      network,
      clock: nodeClock,
    },
    parts: world.parts,
    output: new Output(terminal, { json: false, quiet: false, environment }),
    signal: options.signal ?? new AbortController().signal,
    groups: commandGroups,
  });
}
