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
      ...leadershipFacts(context, found.leadership),
      ...membershipFacts(context, found.membership),
      ...repairFacts(found),
      ["running for", readableDuration(upSeconds)],
      ["memory", readableSize(found.residentBytes)],
      ["process", String(found.processId)],
    ]),
    "",
    ...renderTable(found.roles, roleColumns(style)),
  ];
  if (found.mirror !== undefined) lines.push("", style.bold("First half of the mirror"));
  lines.push(...halfTables(found, style));
  if (found.mirror !== undefined) lines.push(...mirrorLines(context, found.mirror));
  if (found.problems.length > 0) {
    lines.push("", style.bold("Problems"), ...found.problems.map((one) => `  ${one}`));
  }
  return lines;
}

type Half = NonNullable<NodeStatus["mirror"]>;

/** Of the only storage, or of a half of a mirror. */
function halfTables(
  found: Pick<Half, "storePaths" | "trackers" | "membership" | "links">,
  style: Style,
): readonly string[] {
  const lines: string[] = [];
  const { storePaths, trackers, membership, links = [] } = found;
  if (storePaths.length > 0) lines.push("", ...renderTable(storePaths, pathColumns(style)));
  if (trackers.length > 0) lines.push("", ...renderTable(trackers, trackerColumns));
  const members = membership?.members ?? [];
  if (members.length > 0) lines.push("", ...renderTable(members, memberColumns(style)));
  if (links.length > 0) lines.push("", ...renderTable(links, linkColumns));
  return lines;
}

function mirrorLines(context: CommandContext, half: Half): readonly string[] {
  const { style } = context.output;
  return [
    "",
    style.bold("Second half of the mirror"),
    "",
    ...renderFacts([
      ["listens on", half.endpoint],
      ...membershipFacts(context, half.membership),
      ...repairFacts(half),
    ]),
    ...halfTables(half, style),
  ];
}

/** `this one (10.0.0.1:22122), for 3 h`, and who follows. */
function leadershipFacts(
  { world, output }: CommandContext,
  leadership: NodeStatus["leadership"],
): readonly (readonly [string, string])[] {
  if (leadership === undefined) return [];
  const { role, leader, since, why, followers } = leadership;
  const forWords = readableDuration(Math.max(0, nowSeconds(world.clock) - since));
  const who = role === "leader" ? `this one (${leader ?? "the only one"})` : leader;
  const fact =
    who === undefined ? output.style.warning(`none: ${why ?? ""}`) : `${who}, for ${forWords}`;
  const lines: (readonly [string, string])[] = [["leading tracker", fact]];
  if (followers.length > 0) {
    const words = followers.map(({ endpoint, active }) =>
      active ? endpoint : output.style.warning(`${endpoint} (away)`),
    );
    lines.push(["following trackers", words.join(" ")]);
  }
  return lines;
}

/** `ACTIVE for 3 h`. */
function membershipFacts(
  { world, output }: CommandContext,
  membership: NodeStatus["membership"],
): readonly (readonly [string, string])[] {
  if (membership === undefined) return [];
  const forSeconds = nowSeconds(world.clock) - membership.since;
  const word = memberWord(membership.status, output.style);
  const inGroup = `${word} for ${readableDuration(Math.max(0, forSeconds))}`;
  const { mode = "both" } = membership;
  if (mode === "both") return [["in the group", inGroup]];
  return [
    ["in the group", inGroup],
    ["clients may", output.style.warning(modeWords[mode])],
  ];
}

/** What goes on between this storage and its peers; nothing while all is at rest. */
function repairFacts({
  comparison,
  recoveries,
}: Pick<NodeStatus, "comparison" | "recoveries">): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [];
  for (const one of recoveries ?? []) {
    if (one.state === "done") continue;
    const of = one.filesTotal === undefined ? "" : ` of ${one.filesTotal}`;
    const rate = `${readableSize(one.bytesPerSecond)}/s`;
    const left =
      one.remainingSeconds === undefined ? "" : `, ${readableDuration(one.remainingSeconds)} left`;
    facts.push([`filling path ${one.storePath}`, `${one.files}${of} files, ${rate}${left}`]);
  }
  if (comparison?.state === "running") {
    const { peer = "a peer", progressPercent, found, repaired } = comparison;
    const done = `${progressPercent} % looked through, ${found} different, ${repaired} repaired`;
    facts.push(["comparing with", `${peer}: ${done}`]);
  }
  return facts;
}

const modeWords = {
  none: "neither read nor write here",
  read: "only read here",
  write: "only write here",
} as const;

function memberWord(status: string, style: Style): string {
  return status === "ACTIVE" ? style.good(status) : style.warning(status);
}

function stateWord(state: string, style: Style): string {
  if (["ready", "serving", "online"].includes(state)) return style.good(state);
  return ["failed", "offline", "quarantined"].includes(state)
    ? style.bad(state)
    : style.warning(state);
}

type Role = NodeStatus["roles"][number];
type Path = NodeStatus["storePaths"][number];
type Member = NonNullable<NodeStatus["membership"]>["members"][number];
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
    { heading: "FREE IN TRUNK FILES", text: ({ trunkFiles }) => trunkWords(trunkFiles) },
    { heading: "DIRECTORY", text: (path) => path.directory },
    { heading: "PROBLEM", text: (path) => path.problem ?? "" },
  ];
}

function trunkWords(trunkFiles: Path["trunkFiles"]): string {
  if (trunkFiles === undefined) return "";
  const { freeBytes, totalBytes, rebuild } = trunkFiles;
  const words = `${readableSize(freeBytes)} of ${readableSize(totalBytes)}`;
  if (rebuild?.state !== "running") return words;
  return `${words}, rebuild at ${rebuild.files + rebuild.skipped} of ${rebuild.filesTotal}`;
}

function memberColumns(style: Style): readonly Column<Member>[] {
  return [
    { heading: "STORAGE", text: (member) => member.id },
    { heading: "ENDPOINT", text: (member) => member.endpoint },
    { heading: "STATUS", text: (member) => memberWord(member.status, style) },
    { heading: "MODE", text: (member) => member.mode ?? "" },
    { heading: "SOFTWARE", text: (member) => member.software ?? "" },
  ];
}

const trackerColumns: readonly Column<Tracker>[] = [
  { heading: "TRACKER", text: (tracker) => tracker.endpoint },
  { heading: "STATE", text: (tracker) => tracker.state },
  { heading: "PROBLEM", text: (tracker) => tracker.problem ?? "" },
];

type Link = NonNullable<NodeStatus["links"]>[number];

function behindWords(lagSeconds: number | undefined): string {
  return lagSeconds === undefined ? "unknown" : readableDuration(lagSeconds);
}

const linkColumns: readonly Column<Link>[] = [
  { heading: "COPIES TO", text: (link) => link.peer },
  { heading: "TO SEND", text: (link) => String(link.pendingRecords), right: true },
  { heading: "UNREAD", text: (link) => readableSize(link.backlogBytes), right: true },
  { heading: "BEHIND", text: ({ lagSeconds }) => behindWords(lagSeconds), right: true },
  { heading: "SET ASIDE", text: (link) => String(link.setAside), right: true },
  { heading: "STATE", text: (link) => link.state },
];
