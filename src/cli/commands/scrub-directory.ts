/** `cairn scrub --directory`: reads a store path that no node serves, and reports what is good, damaged and unknown. */
import type { DamagedPlace, DirectoryReport } from "#cli/cli-world.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { renderFacts } from "#cli/render/table.ts";
import { readableSize } from "#cli/render/units.ts";
import { delay } from "#platform/clock.ts";

/** Between two looks at Ctrl-C and the progress line. */
const turnMs = 100;
const maxShown = 50;

const damageWords = {
  size: "another size than its name says",
  content: "another content than its name says",
  "changed-silently": "another content than the last scrub has noted, and nobody changed it",
  unreadable: "the disk does not give it",
  "slot-content": "packed: another content than its header says",
  "slot-header": "packed: its header is not what its name says",
} as const;

export async function scrubDirectory(
  context: CommandContext,
  directory: string,
): Promise<number | undefined> {
  const { world, parts, output, signal } = context;
  const steps = parts.scrubDirectory(context.path(directory));
  let turnedMs = world.clock.monotonicMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return await show(context, step.value);
    if (world.clock.monotonicMs() - turnedMs < turnMs) continue;
    if (output.showsProgress) {
      const { directories, directoriesTotal, tally } = step.value;
      const done = `${directories} of ${directoriesTotal} directories`;
      const line = `${done}, ${tally.files} files, ${readableSize(tally.bytes)}, ${tally.damaged} damaged`;
      world.terminal.writeError(`\r\u001b[K${line}`);
    }
    await delay(world.clock, 0, signal);
    turnedMs = world.clock.monotonicMs();
  }
}

async function show(
  { world, output }: CommandContext,
  report: DirectoryReport,
): Promise<number | undefined> {
  if (output.showsProgress) world.terminal.writeError("\r\u001b[K");
  if (output.json) await output.value(report);
  else await output.lines(lines(report));
  const { damaged, closedDirectories } = report.tally;
  return damaged + closedDirectories > 0 ? exitCodes.data.code : undefined;
}

function lines({ data, tally, damaged, strange, names }: DirectoryReport): readonly string[] {
  const optional = (name: string, count: number): readonly (readonly [string, string])[] =>
    count === 0 ? [] : [[name, String(count)]];
  return [
    ...renderFacts([
      ["directory", data],
      ["files", String(tally.files)],
      ["read", readableSize(tally.bytes)],
      ["good", String(tally.good)],
      ["unknown", `${tally.unknown} can be read; their names do not tell what they should be`],
      ["damaged", String(tally.damaged)],
      ...optional("of these unreadable", tally.unreadable),
      ...optional("right when read again", tally.unsteady),
      ...optional("not of FastDFS", tally.foreign),
      ...optional("directories unreadable", tally.closedDirectories),
      ["names of packed files", nameWords[names]],
    ]),
    ...listed("Damaged", damaged),
    ...listed("In trunk files, neither free nor a packed file", strange),
  ];
}

const nameWords = {
  all: "compared with the binlog",
  part: "compared with a part of the binlog; the rest could not be used",
  none: "not compared: there is no binlog on this disk",
} as const;

function listed(heading: string, places: readonly DamagedPlace[]): readonly string[] {
  if (places.length === 0) return [];
  const shown = places.slice(0, maxShown).map(({ place, damage, name, sizeBytes }) => {
    const what = damage === "slot-header" && name === undefined ? "" : `: ${damageWords[damage]}`;
    const named = name === undefined ? "" : ` (${name})`;
    return `  ${place}${named}, ${sizeBytes} bytes${what}`;
  });
  const more = places.length - shown.length;
  return ["", heading, ...shown, ...(more > 0 ? [`  … and ${more} more (--json)`] : [])];
}
