/** `cairn disks` and `cairn disk show`: the disks of this machine, as the daemon sees them. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import type { Style } from "#cli/render/style.ts";
import { type Column, renderFacts, renderTable } from "#cli/render/table.ts";
import { readableDuration, readableSize } from "#cli/render/units.ts";
import { type DiskList, listDisks, type ShownDisk } from "#control/operations/disks.ts";
import { busWord } from "#model/disk-words.ts";
import { nowSeconds } from "#platform/clock.ts";

export const disksCommand: Command = {
  name: "disks",
  summary: "show the disks of this machine and what is on them",
  description: [
    "Asks the daemon of this machine over its control socket. Nothing is written to any disk, and none is woken where udev runs. A serial that is not shown is hidden by the USB bridge before the disk. Disks that are made of others, RAM disks and files are left out unless --all is given.",
    "Nothing that is known does not mean blank: only the whole of a disk, read before it is given to the node, can tell that.",
  ],
  positionals: [],
  options: [{ name: "all", says: "also loop devices, RAID and volumes of the kernel" }],
  shared: ["json", "config", "socket"],
  examples: [
    { line: "cairn disks", says: "a line for each" },
    { line: "cairn disks --json", says: "for programs, with everything that is known" },
  ],
  run: async (context) => {
    const { output } = context;
    const found = await ask(context);
    const isShown = context.arguments.has("all") ? () => true : isPhysical;
    const disks = found.disks.filter(isShown);
    if (output.json) await output.value({ ...found, disks });
    else await output.lines(listLines(context, found, disks));
    return undefined;
  },
};

export const diskShowCommand: Command = {
  name: "disk show",
  summary: "show everything that is known of one disk",
  description: [
    "The disk is named as cairn disks names it, or by its serial, its world wide name or the id that the node gave it. Asks the daemon of this machine over its control socket.",
  ],
  positionals: [{ name: "DISK", says: "its name, serial or id", required: true }],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk show sda", says: "where it hangs, what is on it, how it is" }],
  run: async (context) => {
    const { output } = context;
    const { disks } = await ask(context);
    const disk = findDisk(context.positional(0), disks);
    if (output.json) await output.value(disk);
    else await output.lines(diskLines(disk, output.style));
    return undefined;
  },
};

function ask(context: CommandContext): Promise<DiskList> {
  return context.controlClient().ask(listDisks, { refresh: true }, context.signal);
}

function isPhysical({ bus }: ShownDisk): boolean {
  return bus !== "loop" && bus !== "virtual";
}

/** Throws `no-disk`, also where several disks tell the same serial. */
export function findDisk(named: string, disks: readonly ShownDisk[]): ShownDisk {
  const name = named.replace(/^\/dev\//, "");
  const found = disks.filter((disk) =>
    [disk.name, disk.key, disk.serial, disk.wwn, disk.diskId].includes(name),
  );
  const [first] = found;
  const names = disks.map((disk) => disk.name).join(" ");
  if (first === undefined) {
    throw new AppError("no-disk", `there is no disk ${named}; there are ${names || "none"}`);
  }
  if (found.length === 1) return first;
  const same = found.map((disk) => disk.name).join(" ");
  throw new AppError("no-disk", `several disks are called ${named}: say which of ${same}`);
}

function listLines(
  context: CommandContext,
  found: DiskList,
  disks: readonly ShownDisk[],
): readonly string[] {
  const { style } = context.output;
  const lines = [...renderTable(disks, diskColumns(style))];
  if (found.lookedAt !== undefined) {
    const ago = nowSeconds(context.world.clock) - found.lookedAt;
    if (ago > 5) lines.push("", `looked at ${readableDuration(ago)} ago`);
  }
  if (found.problems.length > 0) {
    lines.push("", style.bold("Problems"), ...found.problems.map((one) => `  ${one}`));
  }
  const { advice = [] } = found;
  if (advice.length > 0) lines.push("", ...advice);
  return lines;
}

function diskColumns(style: Style): readonly Column<ShownDisk>[] {
  return [
    { heading: "NAME", text: ({ name }) => name },
    { heading: "WHERE", text: ({ where }) => where },
    { heading: "BUS", text: ({ bus }) => busWord(bus) },
    { heading: "MODEL", text: ({ model, vendor }) => model ?? vendor ?? "-" },
    { heading: "SERIAL", text: serialWords },
    { heading: "SIZE", text: ({ sizeBytes }) => readableSize(sizeBytes), right: true },
    { heading: "TEMP", text: temperatureWords, right: true },
    { heading: "STATE", text: (disk) => stateWord(disk, style) },
    { heading: "STORE PATH", text: pathWords },
    { heading: "WHAT IS ON IT", text: ({ content }) => content },
  ];
}

function serialWords({ serial, bridge }: ShownDisk): string {
  return serial ?? (bridge?.hidesSerial === true ? "hidden" : "-");
}

function temperatureWords({ temperatureCelsius, spinning }: ShownDisk): string {
  if (temperatureCelsius !== undefined) return `${temperatureCelsius} °C`;
  return spinning === false ? "asleep" : "-";
}

function pathWords({ storePaths }: ShownDisk): string {
  return storePaths.map(({ index }) => pathName(index)).join(" ") || "-";
}

function pathName(index: number): string {
  return `M${index.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The worst of what is known. */
function stateWord(disk: ShownDisk, style: Style): string {
  if (disk.verdict === "failed" || disk.verdict === "failing") return style.bad(disk.verdict);
  if (disk.problems.length > 0) return style.bad("trouble");
  if (disk.verdict === "watch") return style.warning("watch");
  if (disk.role !== undefined) return disk.role;
  return disk.ofSystem ? "system" : (disk.verdict ?? "-");
}

function diskLines(disk: ShownDisk, style: Style): readonly string[] {
  const lines = [...renderFacts(diskFacts(disk))];
  if (disk.partitions.length > 0) {
    lines.push("", ...renderTable(disk.partitions, partitionColumns));
  }
  const mounts = [...disk.mounts, ...disk.partitions.flatMap((part) => part.mounts)];
  if (mounts.length > 0) lines.push("", ...renderTable(mounts, mountColumns));
  const troubles = [...(disk.reasons ?? []), ...disk.problems];
  if (troubles.length > 0) {
    lines.push("", style.bold("Problems"), ...troubles.map((one) => `  ${one}`));
  }
  return lines;
}

function diskFacts(disk: ShownDisk): readonly (readonly [string, string])[] {
  const { bridge } = disk;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["name", disk.name],
    ["where", disk.where],
    ["port", disk.port],
    ["bus", busWord(disk.bus)],
    ["bridge", bridge && `${bridge.name ?? "unknown"} (${bridge.vendorId}:${bridge.productId})`],
    ["vendor", disk.vendor],
    ["model", disk.model],
    ["serial", bridge?.hidesSerial === true ? "hidden by the bridge" : disk.serial],
    ["wwn", disk.wwn],
    ["firmware", disk.firmware],
    ["size", `${readableSize(disk.sizeBytes)} (${disk.sizeBytes} bytes)`],
    ["sectors", `${disk.logicalSectorBytes} bytes, physical ${disk.physicalSectorBytes}`],
    ["kind", kindWords(disk)],
    ["temperature", disk.temperatureCelsius === undefined ? undefined : temperatureWords(disk)],
    ["spinning", disk.spinning === undefined ? undefined : disk.spinning ? "yes" : "no"],
    ["file", disk.backingFile],
    ["what is on it", disk.content],
    ["blank", blankWords(disk.blankReading)],
    ["used by", disk.holders?.join(" ") || undefined],
    ["role", disk.role ?? (disk.ofSystem ? "the system runs from it" : undefined)],
    ["id", disk.diskId],
    ["verdict", disk.verdict],
    ["store paths", pathFacts(disk)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function blankWords(reading: ShownDisk["blankReading"]): string | undefined {
  if (reading === undefined) return undefined;
  const { state, readBytes, sizeBytes } = reading;
  const percent = Math.floor((100 * readBytes) / Math.max(1, sizeBytes));
  const far = `${readableSize(readBytes)} of it read (${percent} %)`;
  const words = {
    blank: "yes: every byte of it was read",
    data: `no: something is behind the first ${readableSize(readBytes)}`,
    unreadable: `cannot be known: the disk does not give what is at byte ${readBytes}`,
    reading: `so far: ${far}`,
    waiting: `so far: ${far}, and waits`,
  };
  return words[state];
}

function kindWords({ rotational, removable, readOnly }: ShownDisk): string | undefined {
  const words = [
    ...(rotational === undefined ? [] : [rotational ? "says that it turns" : "does not turn"]),
    ...(removable ? ["removable"] : []),
    ...(readOnly ? ["read-only"] : []),
  ];
  return words.length === 0 ? undefined : words.join(", ");
}

function pathFacts({ storePaths }: ShownDisk): string | undefined {
  const words = storePaths.map(({ index, directory }) => `${pathName(index)} ${directory}`);
  return words.length === 0 ? undefined : words.join(", ");
}

type Part = ShownDisk["partitions"][number];

const partitionColumns: readonly Column<Part>[] = [
  { heading: "PARTITION", text: ({ name }) => name },
  { heading: "SIZE", text: ({ sizeBytes }) => readableSize(sizeBytes), right: true },
  { heading: "LABEL", text: ({ label }) => label ?? "-" },
  {
    heading: "CONTENT",
    text: ({ signatures }) => signatures.map(({ type }) => type).join(" ") || "-",
  },
  { heading: "NAMED", text: ({ signatures }) => signatures.find((one) => one.label)?.label ?? "-" },
  { heading: "UUID", text: ({ signatures }) => signatures.find((one) => one.uuid)?.uuid ?? "-" },
];

const mountColumns: readonly Column<ShownDisk["mounts"][number]>[] = [
  { heading: "MOUNTED AT", text: ({ point }) => point },
  { heading: "AS", text: ({ type, readOnly }) => (readOnly ? `${type}, read-only` : type) },
  { heading: "SIZE", text: ({ totalBytes }) => sizeOrUnknown(totalBytes), right: true },
  { heading: "FREE", text: ({ freeBytes }) => sizeOrUnknown(freeBytes), right: true },
];

function sizeOrUnknown(bytes: number | undefined): string {
  return bytes === undefined ? "does not answer" : readableSize(bytes);
}
