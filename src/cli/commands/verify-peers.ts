/** `cairn verify peers`: has the node compare all its files with those of its peers, and says what was found. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { renderFacts } from "#cli/render/table.ts";
import { verifyPeers } from "#control/operations/peers.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { delay } from "#platform/clock.ts";

type Comparison = NonNullable<NodeStatus["comparison"]>;

const askPeriodMs = 500;

export const verifyPeersCommand: Command = {
  name: "verify peers",
  summary: "compare all files with the other storages and repair differences",
  description: [
    "The node compares the names, sizes and checksums of all its files with those that the other storages of its group have, and mends what differs on either side: files that one of them lacks, though nobody deleted them, are copied; what was deleted is deleted everywhere. Changes that are still on their way are left alone. It serves meanwhile, and does the same by itself now and then (storage.verify_interval).",
    "Waits until that is done and says what was found. Ctrl-C ends the waiting only; cairn status tells how far it is. The exit code is 65 where something could not be repaired. Storages of C FastDFS cannot be compared with.",
  ],
  positionals: [],
  options: [{ name: "no-wait", says: "only begin it" }],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn verify peers", says: "with all peers, all store paths" }],
  run: async (context) => {
    const { output, signal } = context;
    const begun = await context.controlClient().ask(verifyPeers, {}, signal);
    if (context.arguments.has("no-wait")) {
      if (output.json) await output.value(begun);
      else output.note(begun.started ? "begun" : "one is under way; another one follows it");
      return undefined;
    }
    const found = await ended(context, begun.round, (node) => node.comparison);
    const second = begun.mirror;
    const mirror =
      second && (await ended(context, second.round, (node) => node.mirror?.comparison));
    if (output.json) await output.value({ ...found, mirror });
    else if (mirror === undefined) await output.lines(lines(found));
    else {
      await output.lines([...heading("first"), ...lines(found)]);
      await output.lines(["", ...heading("second"), ...lines(mirror)]);
    }
    const isWell = [found, mirror].every((one) => !one || (one.failed === 0 && !one.problem));
    return isWell ? undefined : exitCodes.data.code;
  },
};

function heading(half: string): readonly string[] {
  return [`Of the ${half} half of the mirror`];
}

async function ended(
  context: CommandContext,
  round: number,
  comparisonOf: (node: NodeStatus) => Comparison | undefined,
): Promise<Comparison> {
  const { world, signal } = context;
  for (;;) {
    const comparison = comparisonOf(await context.controlClient().ask(status, {}, signal));
    if (comparison === undefined) throw new AppError("no-storage", "this node stores no files");
    if (comparison.rounds >= round) return comparison;
    // A node that was started again counts from 0.
    if (comparison.state === "waiting" && comparison.rounds + 1 < round) {
      throw new AppError("comparison-lost", "the node was started anew meanwhile: ask again");
    }
    await delay(world.clock, askPeriodMs, signal);
  }
}

function lines(found: Comparison): readonly string[] {
  return renderFacts([
    ["files", String(found.files)],
    ["different", String(found.found)],
    ["repaired", String(found.repaired)],
    ["not repaired", String(found.failed)],
    ...(found.nameless === 0 ? [] : [["without a name", String(found.nameless)] as const]),
    ...(found.problem === undefined ? [] : [["problem", found.problem] as const]),
  ]);
}
