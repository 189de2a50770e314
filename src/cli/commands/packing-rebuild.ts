/** `cairn packing rebuild`: has the node look through its trunk files for what is free in them, and says what it found. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { renderFacts } from "#cli/render/table.ts";
import { readableSize } from "#cli/render/units.ts";
import { rebuildPacking, type StartedRebuild } from "#control/operations/packing.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { delay } from "#platform/clock.ts";

type Rebuild = NonNullable<NonNullable<NodeStatus["storePaths"][number]["trunkFiles"]>["rebuild"]>;

type PathRebuild = Omit<StartedRebuild, "rebuild"> & { readonly rebuild: Rebuild };

/** The daemon measures its store paths about once a second. */
const askPeriodMs = 500;
/** A rebuild that the status does not speak of for so long was lost with the worker that did it. */
const unseenLimitMs = 10_000;

export const packingRebuildCommand: Command = {
  name: "packing rebuild",
  summary: "find out anew what is free in trunk files",
  description: [
    "The node looks through the trunk files of its own, in which small files are packed, and takes for free what it finds to be: for when its knowledge of them is in doubt, or trunk files grow though files are deleted. It serves meanwhile; a file that slots are taken from rests while it is looked through.",
    "Waits until that is done and says what was found: slots that no record names are space that is lost, and damaged bytes are neither free nor a whole slot; both are left as they are. Ctrl-C ends the waiting only; cairn status tells how far it is. The exit code is 65 where something is damaged.",
  ],
  positionals: [],
  options: [
    { name: "store-path", value: "N", says: "this store path only; else all with trunk files" },
    { name: "half", value: "WHICH", says: "of a mirror, the first or the second half; else both" },
  ],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn packing rebuild --store-path 0", says: "of the first store path" }],
  run: async (context) => {
    const { output, signal } = context;
    const storePath = storePathOf(context.arguments.value("store-path"));
    const half = halfOf(context.arguments.value("half"));
    const client = context.controlClient();
    const { started } = await client.ask(rebuildPacking, { storePath, half }, signal);
    if (started.length === 0) output.note("this node has no trunk files of its own");
    const rebuilds: PathRebuild[] = [];
    for (const one of started) rebuilds.push(await ended(context, one));
    if (output.json) await output.value({ rebuilds });
    else for (const each of rebuilds) await output.lines(rebuildLines(each));
    if (rebuilds.some(({ rebuild }) => rebuild.state !== "done")) {
      throw new AppError("rebuild-stopped", "a rebuild did not end: the daemon's log says why");
    }
    const isDamaged = rebuilds.some(({ rebuild }) => rebuild.damagedBytes > 0);
    return isDamaged ? exitCodes.data.code : undefined;
  },
};

function storePathOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) {
    throw usageError(`"${text}" is no number of a store path`);
  }
  return Number(text);
}

function halfOf(text: string | undefined): StartedRebuild["half"] {
  if (text === undefined || text === "first" || text === "second") return text;
  throw usageError(`"${text}" is no half of a mirror: say first or second`);
}

async function ended(
  context: CommandContext,
  { rebuild: id, ...of }: StartedRebuild,
): Promise<PathRebuild> {
  const { world, signal } = context;
  let seenMs = world.clock.monotonicMs();
  for (;;) {
    const node = await context.controlClient().ask(status, {}, signal);
    const paths = of.half === "second" ? (node.mirror?.storePaths ?? []) : node.storePaths;
    const found = paths.find(({ index }) => index === of.storePath)?.trunkFiles?.rebuild;
    if (found !== undefined && found.id >= id) {
      seenMs = world.clock.monotonicMs();
      if (found.state !== "running") return { ...of, rebuild: found };
    }
    if (world.clock.monotonicMs() - seenMs > unseenLimitMs) {
      throw new AppError("rebuild-lost", `store path ${of.storePath} was opened anew meanwhile`);
    }
    await delay(world.clock, askPeriodMs, signal);
  }
}

function rebuildLines({ half, storePath, rebuild }: PathRebuild): readonly string[] {
  const { files, filesTotal, skipped, slots, freeBytesBefore, freeBytes } = rebuild;
  const { damagedBytes, unnamed } = rebuild;
  const left = skipped === 0 ? "" : `, ${skipped} in use or gone and left out`;
  return renderFacts([
    ["store path", half === undefined ? String(storePath) : `${storePath} of the ${half} half`],
    ["trunk files", `${files} of ${filesTotal} looked through${left}`],
    ["slots", String(slots)],
    ["free before", readableSize(freeBytesBefore)],
    ["free now", readableSize(freeBytes)],
    ["damaged", damagedBytes === 0 ? "nothing" : readableSize(damagedBytes)],
    ["without a name", unnamed === undefined ? "not known" : String(unnamed)],
  ]);
}
