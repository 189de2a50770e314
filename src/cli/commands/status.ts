/** `cairn status`: how the node here is. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import type { Style } from "#cli/render/style.ts";
import { type Column, renderFacts, renderTable } from "#cli/render/table.ts";
import { readableDuration, readableSize } from "#cli/render/units.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { nowSeconds } from "#platform/clock.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "show how the node here is",
  description: [
    "Asks the daemon of this machine over its control socket: roles, store paths, trackers, and what somebody must look at. The exit code is 0 also when the node has problems, and 69 when no daemon answers; cairn doctor looks at a machine without a daemon.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn status --json", says: "for programs" }],
  run: async (context) => {
    const { output, signal } = context;
    const found = await context.controlClient().ask(status, {}, signal);
    if (output.json) await output.value(found);
    else await output.lines(statusLines(context, found));
    return undefined;
  },
};

function statusLines(context: CommandContext, found: NodeStatus): readonly string[] {
  const { style } = context.output;
  const upSeconds = nowSeconds(context.world.clock) - found.startedAt;
  const lines: string[] = [
    ...renderFacts([
      ...(found.name === undefined ? [] : [["node", found.name] as const]),
      ["state", stateWord(found.state, style)],
      ["version", found.version],
      ["address", found.address],
      ...(found.group === undefined ? [] : [["group", found.group] as const]),
      ["running for", readableDuration(upSeconds)],
      ["memory", readableSize(found.residentBytes)],
      ["process", String(found.processId)],
    ]),
    "",
    ...renderTable(found.roles, roleColumns(style)),
  ];
  if (found.storePaths.length > 0) {
    lines.push("", ...renderTable(found.storePaths, pathColumns(style)));
  }
  if (found.trackers.length > 0) lines.push("", ...renderTable(found.trackers, trackerColumns));
  if (found.problems.length > 0) {
    lines.push("", style.bold("Problems"), ...found.problems.map((one) => `  ${one}`));
  }
  return lines;
}

function stateWord(state: string, style: Style): string {
  if (["ready", "serving", "online"].includes(state)) return style.good(state);
  return ["failed", "offline", "quarantined"].includes(state)
    ? style.bad(state)
    : style.warning(state);
}

type Role = NodeStatus["roles"][number];
type Path = NodeStatus["storePaths"][number];
type Tracker = NodeStatus["trackers"][number];

function roleColumns(style: Style): readonly Column<Role>[] {
  return [
    { heading: "ROLE", text: (role) => role.name },
    { heading: "STATE", text: (role) => stateWord(role.state, style) },
    { heading: "LISTENS ON", text: (role) => role.endpoints.join(" ") },
    {
      heading: "CONNECTIONS",
      text: ({ connections }) =>
        connections === undefined ? "" : `${connections.current} of ${connections.limit}`,
      right: true,
    },
    { heading: "PROBLEM", text: (role) => role.problem ?? "" },
  ];
}

function pathColumns(style: Style): readonly Column<Path>[] {
  return [
    { heading: "PATH", text: (path) => String(path.index), right: true },
    { heading: "STATE", text: (path) => stateWord(path.state, style) },
    { heading: "FREE", text: (path) => readableSize(path.freeBytes), right: true },
    { heading: "OF", text: (path) => readableSize(path.totalBytes), right: true },
    { heading: "MODE", text: (path) => (path.readOnly ? "read-only" : "") },
    { heading: "SMALL FILES", text: (path) => (path.packing === "off" ? "" : "packed") },
    { heading: "DIRECTORY", text: (path) => path.directory },
    { heading: "PROBLEM", text: (path) => path.problem ?? "" },
  ];
}

const trackerColumns: readonly Column<Tracker>[] = [
  { heading: "TRACKER", text: (tracker) => tracker.endpoint },
  { heading: "STATE", text: (tracker) => tracker.state },
  { heading: "PROBLEM", text: (tracker) => tracker.problem ?? "" },
];
