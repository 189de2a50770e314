/** `cairn scrub`: has the node read all its files, and waits for what that finds; or reads a store path that no node serves. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { scrubDirectory } from "#cli/commands/scrub-directory.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import { readableDuration, readableSize, readableTime } from "#cli/render/units.ts";
import { orderScrub, type PathScrubReport, reportScrub } from "#control/operations/files.ts";
import { delay } from "#platform/clock.ts";

const askPeriodMs = 1000;
/** Damaged files named in the text; --json has all. */
const maxShown = 20;

const storePathOption = { name: "store-path", value: "N", says: "this store path only; else all" };
const halfOption = {
  name: "half",
  value: "WHICH",
  says: "of a mirror, the first or the second half; else both",
};

export const scrubCommand: Command = {
  name: "scrub",
  summary: "read all files from the disks and find what has rotted",
  description: [
    "The node reads every file of its store paths from the disks, past the cache, and compares size and CRC-32 with what the file's name says, packed files with their headers, and files whose names say nothing with what the last scrub has noted of them. It serves meanwhile. What is damaged is set aside and had from another storage of the group that has the right bytes; what nobody has is listed. The node does the same by itself now and then (storage.scrub.period).",
    "Waits until that is done. Ctrl-C ends the waiting only: cairn scrub pause holds it, and cairn scrub stop ends it. The exit code is 65 where files are damaged and not healed.",
    "With --directory it reads a store path that no node serves, such as that of a disk pulled from an old FastDFS server: without a daemon or a database, and without writing anything to it.",
  ],
  positionals: [],
  options: [
    {
      name: "directory",
      value: "PATH",
      says: "a store path that no node serves; it is only read",
      complete: "directory",
    },
    storePathOption,
    halfOption,
    { name: "no-wait", says: "only begin it" },
  ],
  shared: ["json", "config", "socket"],
  examples: [
    { line: "cairn scrub --store-path 0", says: "the first store path" },
    { line: "cairn scrub --directory /mnt/old/path0 --json", says: "a disk of an old server" },
  ],
  run: async (context) => {
    const directory = context.arguments.value("directory");
    if (directory !== undefined) return await scrubDirectory(context, directory);
    const { output } = context;
    const which = whichOf(context);
    await context.controlClient().ask(orderScrub, { order: "start", ...which }, context.signal);
    if (context.arguments.has("no-wait")) {
      output.note("begun; cairn scrub report tells how far it is");
      return undefined;
    }
    const reports = await ended(context, which);
    return await show(context, reports);
  },
};

export const scrubReportCommand: Command = {
  name: "scrub report",
  summary: "show how far reading all files is, and what was found",
  description: [
    "Of each store path: when all its files were read last, how far it is where that goes on, and what is damaged and not healed. The exit code is 65 where something is.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn scrub report --json", says: "for programs" }],
  run: async (context) => {
    const { paths } = await context.controlClient().ask(reportScrub, {}, context.signal);
    return await show(context, paths);
  },
};

export const scrubPauseCommand = orderCommand("pause", "hold reading all files", "held");
export const scrubResumeCommand = orderCommand("resume", "go on reading all files", "goes on");
export const scrubStopCommand = orderCommand("stop", "end reading all files", "ended");

function orderCommand(order: "pause" | "resume" | "stop", summary: string, done: string): Command {
  return {
    name: `scrub ${order}`,
    summary,
    description: [
      "Of what cairn scrub began, or the node by itself. What is held goes on with cairn scrub resume, where it was; what is ended begins anew the next time.",
    ],
    positionals: [],
    options: [storePathOption, halfOption],
    shared: ["json", "config", "socket"],
    examples: [{ line: `cairn scrub ${order} --store-path 0`, says: "of the first store path" }],
    run: async (context) => {
      const { output, signal } = context;
      const asked = { order, ...whichOf(context) };
      const found = await context.controlClient().ask(orderScrub, asked, signal);
      if (output.json) await output.value(found);
      else output.note(found.changed === 0 ? "nothing to do" : `${done} on ${found.changed} paths`);
      return undefined;
    },
  };
}

interface Which {
  readonly storePath: number | undefined;
  readonly half: "first" | "second" | undefined;
}

function whichOf(context: CommandContext): Which {
  const text = context.arguments.value("store-path");
  if (text !== undefined && (!/^\d{1,3}$/.test(text) || Number(text) > 255)) {
    throw usageError(`"${text}" is no number of a store path`);
  }
  const half = context.arguments.value("half");
  if (half !== undefined && half !== "first" && half !== "second") {
    throw usageError(`"${half}" is no half of a mirror: say first or second`);
  }
  return { storePath: text === undefined ? undefined : Number(text), half };
}

function isMeant(report: PathScrubReport, { storePath, half }: Which): boolean {
  const isPath = storePath === undefined || report.storePath === storePath;
  return isPath && (half === undefined || report.half === half);
}

async function ended(context: CommandContext, which: Which): Promise<readonly PathScrubReport[]> {
  const { world, output, signal } = context;
  for (;;) {
    const { paths } = await context.controlClient().ask(reportScrub, {}, signal);
    const meant = paths.filter((report) => isMeant(report, which));
    if (meant.length === 0) throw new AppError("no-storage", "no store path is served");
    if (meant.some(({ state }) => state === "paused")) {
      throw new AppError("scrub-paused", "it is held: cairn scrub resume goes on");
    }
    const isDone = meant.every(({ state, open }) => {
      // Healing takes a moment longer; what nobody can be asked for is not waited for.
      return state === "idle" && open.every((file) => file.state !== "found");
    });
    if (isDone) return meant;
    if (output.showsProgress) world.terminal.writeError(`\r\u001b[K${progress(meant)}`);
    await delay(world.clock, askPeriodMs, signal);
  }
}

function progress(reports: readonly PathScrubReport[]): string {
  return reports
    .map(({ storePath, progressPercent, bytes, remainingSeconds }) => {
      const left =
        remainingSeconds === undefined ? "" : `, ${readableDuration(remainingSeconds)} left`;
      return `path ${storePath}: ${progressPercent} %, ${readableSize(bytes)}${left}`;
    })
    .join("  ");
}

async function show(
  context: CommandContext,
  reports: readonly PathScrubReport[],
): Promise<number | undefined> {
  const { output } = context;
  if (output.showsProgress) context.world.terminal.writeError("\r\u001b[K");
  if (output.json) await output.value({ paths: reports });
  else await output.lines([...renderTable(reports, columns), ...reports.flatMap(damageLines)]);
  return reports.some(({ openTotal }) => openTotal > 0) ? exitCodes.data.code : undefined;
}

const columns: readonly Column<PathScrubReport>[] = [
  {
    heading: "PATH",
    text: ({ half, storePath }) => (half === undefined ? `${storePath}` : `${storePath} ${half}`),
  },
  {
    heading: "STATE",
    text: ({ state, progressPercent }) =>
      state === "idle" ? "idle" : `${state} ${progressPercent} %`,
  },
  {
    heading: "LAST WHOLE",
    text: ({ endedAt }) => (endedAt === 0 ? "never" : readableTime(endedAt)),
  },
  { heading: "NEXT", text: ({ nextAt }) => (nextAt === 0 ? "" : readableTime(nextAt)) },
  { heading: "FILES", text: ({ files }) => String(files), right: true },
  { heading: "READ", text: ({ bytes }) => readableSize(bytes), right: true },
  { heading: "GOOD", text: ({ good }) => String(good), right: true },
  { heading: "FIRST SEEN", text: ({ unknown }) => String(unknown), right: true },
  { heading: "DAMAGED", text: ({ damaged }) => String(damaged), right: true },
  { heading: "HEALED", text: ({ healed }) => String(healed), right: true },
  { heading: "OPEN", text: ({ openTotal }) => String(openTotal), right: true },
];

const stateWords = {
  found: "in its place; about to be looked at again",
  aside: "set aside; waits for a storage that has it",
  lost: "set aside; no storage has a good copy",
  kept: "in its place; there is no room to set it aside",
} as const;

function damageLines({ storePath, open, openTotal, problem }: PathScrubReport): readonly string[] {
  const lines = open.slice(0, maxShown).map(({ place, damage, state }) => {
    return `M${storePath.toString(16).toUpperCase().padStart(2, "0")}/${place}: ${damage}; ${stateWords[state]}`;
  });
  if (openTotal > lines.length) lines.push(`… and ${openTotal - lines.length} more (--json)`);
  if (problem !== undefined) lines.push(`path ${storePath} waits: ${problem}`);
  return lines.length === 0 ? [] : ["", ...lines];
}
