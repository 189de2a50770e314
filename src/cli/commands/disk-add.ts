/** `cairn disk add` and `cairn disk eject`: a disk becomes this node's, and is let go of. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { renderFacts } from "#cli/render/table.ts";
import { readableSize, readableTime } from "#cli/render/units.ts";
import {
  addDisk,
  ejectDisk,
  listGivings,
  type PreparedDisk,
  prepareDisk,
  readDisk,
  resumeDisk,
  type ShownGiving,
} from "#control/operations/disk-giving.ts";
import { delay } from "#platform/clock.ts";

const askPeriodMs = 250;
/** The daemon forgets a work only when it is started anew. */
const unseenLimitMs = 10_000;

export const diskAddCommand: Command = {
  name: "disk add",
  summary: "give a disk to this node; everything on it is lost",
  description: [
    "Shows what is on the disk, and makes it one of this node's: partition table, file system, passport, store path. It serves as soon as that is done, without a restart.",
    "A disk counts as blank only after every byte of it was read: the node does that in the background when such a disk is plugged in (disks.blank_read_rate; cairn disk show tells how far it is), and --read does the rest at once. Any other is taken only when its model, serial and size are typed as they are shown, or given by --model, --serial and --size; --yes alone is for blank ones. What was interrupted goes on, or is undone with --undo.",
    "Where a disk of the node is gone, the new one takes its place: its store paths are made anew on it and filled from other storages of the group, and the old disk is not served again. It says so before it asks; --yes needs --replace or --new-path then.",
  ],
  positionals: [{ name: "DEVICE", says: "as cairn disks names it, such as sdb", required: true }],
  options: [
    { name: "read", says: "read all of it first, to find out whether it is blank" },
    { name: "model", value: "TEXT", says: "the model, exactly as shown" },
    { name: "serial", value: "TEXT", says: "the serial, exactly as shown" },
    { name: "size", value: "BYTES", says: "the size in bytes" },
    {
      name: "file-system",
      value: "TYPE",
      says: "ext4, xfs or btrfs; else ext4",
      complete: ["ext4", "xfs", "btrfs"],
    },
    { name: "replace", says: "in the place of the disk that is gone for longest" },
    { name: "new-path", says: "with a new store path, also where a disk is gone" },
    { name: "undo", says: "undo what was interrupted" },
  ],
  shared: ["json", "yes", "config", "socket"],
  examples: [
    { line: "cairn disk add sdb", says: "shows what is on it, and asks" },
    { line: "cairn disk add sdb --read --yes", says: "only if every byte of it is zero" },
  ],
  run: addOrResume,
};

export const diskEjectCommand: Command = {
  name: "disk eject",
  summary: "let go of a disk, so that it can be pulled",
  description: [
    "Stops serving from the disk, unmounts it, and tells the kernel to let go of it. Its files are served by other storages of the group meanwhile; it is served again when it is plugged in again.",
  ],
  positionals: [{ name: "DEVICE", says: "as cairn disks names it, such as sdb", required: true }],
  options: [],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk eject sdb", says: "before it is pulled" }],
  run: async (context) => {
    const { output, signal } = context;
    const client = context.controlClient();
    const disk = deviceOf(context);
    const { sequence } = await client.ask(prepareDisk, { disk }, signal);
    const { detached } = await client.ask(ejectDisk, { disk, sequence }, signal);
    if (output.json) await output.value({ disk, detached });
    else await output.lines([`${disk} is not in use any more: it can be pulled`]);
    return undefined;
  },
};

function deviceOf(context: CommandContext): string {
  return context.positional(0).replace(/^\/dev\//, "");
}

async function addOrResume(context: CommandContext): Promise<number | undefined> {
  const { output, signal, arguments: given } = context;
  const client = context.controlClient();
  const disk = deviceOf(context);
  let found = await client.ask(prepareDisk, { disk }, signal);
  if (found.unfinished !== undefined || given.has("undo")) return await resume(context, found);
  if (given.has("read") && !found.blank) {
    await readAll(context, found);
    found = await client.ask(prepareDisk, { disk }, signal);
  }
  if (!output.json) await output.lines(factsOf(found));
  requireGivable(found);
  const [lost] = found.lost;
  const place = placeFor(context, lost);
  if (!output.json && place !== undefined) await output.lines([placeWords(place)]);
  const diskId = await giveDisk(context, { found, storePaths: place?.storePaths });
  return diskId === undefined ? exitCodes.failure.code : await followed(context, diskId);
}

type Lost = PreparedDisk["lost"][number];

/** Whose place the new disk takes; undefined where it gets new store paths. */
function placeFor(context: CommandContext, lost: Lost | undefined): Lost | undefined {
  const { arguments: given, world } = context;
  const [isPlace, isNew] = [given.has("replace"), given.has("new-path")];
  if (isPlace && isNew) throw usageError("--replace and --new-path exclude each other");
  if (isPlace && lost === undefined) throw usageError("no disk of this node is gone");
  const { inputIsTerminal, errorIsTerminal } = world.terminal;
  const canAsk = inputIsTerminal && errorIsTerminal && !given.has("yes");
  if (lost !== undefined && !isPlace && !isNew && !canAsk) {
    throw usageError(`${placeWords(lost)}: say --replace, or --new-path where that one comes back`);
  }
  return isNew ? undefined : lost;
}

function placeWords({ disk, storePaths, seenAt }: Lost): string {
  const paths = storePaths.map((index) => `M${index.toString(16).toUpperCase().padStart(2, "0")}`);
  return `takes the place of disk ${disk.slice(0, 8)} (${paths.join(", ")}), gone since ${readableTime(seenAt)}: its files come from other storages of the group`;
}

/** `storePaths` as `disks.add` has them. Undefined where somebody said no. */
export async function giveDisk(
  context: CommandContext,
  {
    found,
    storePaths,
  }: { readonly found: PreparedDisk; readonly storePaths: readonly number[] | undefined },
): Promise<string | undefined> {
  const { disk, sequence, token = "" } = found;
  const isNamed = ["model", "serial", "size"].some((name) => context.arguments.has(name));
  // Who names a disk says yes to it, also where it was found to be blank meanwhile.
  const typed = found.blank && !isNamed ? undefined : await typedName(context, found);
  const question = `Make ${disk}, which is blank, one of this node's?`;
  if (typed === undefined && !(await context.confirm(question))) return undefined;
  const fileSystem = fileSystemOf(context.arguments.value("file-system"));
  const input = { disk, sequence, token, typed, fileSystem, storePaths };
  return (await context.controlClient().ask(addDisk, input, context.signal)).diskId;
}

async function resume(context: CommandContext, found: PreparedDisk): Promise<number | undefined> {
  const { disk, sequence, unfinished } = found;
  const undo = context.arguments.has("undo");
  if (unfinished === undefined) {
    throw new AppError("not-allowed", `nothing on ${disk} was begun and not ended by Cairn`);
  }
  if (!unfinished.canContinue) {
    throw new AppError(
      "not-allowed",
      `${disk} was half made a disk of Cairn's, and something else was written to it since: ${found.content.join(", ")}. Look what it is, and wipe it yourself if you do not need it`,
    );
  }
  const { diskId } = unfinished;
  const question = undo
    ? `Undo what was begun on ${disk}? What was on it before is lost.`
    : `Go on with making ${disk} one of this node's?`;
  if (!(await context.confirm(question))) return exitCodes.failure.code;
  const input = { disk, sequence, diskId, undo };
  await context.controlClient().ask(resumeDisk, input, context.signal);
  return await followed(context, diskId);
}

export function requireGivable({ disk, obstacles, token }: PreparedDisk): void {
  if (obstacles.length === 0 && token !== undefined) return;
  throw new AppError("not-allowed", `${disk} cannot be given: ${obstacles.join("; ")}`);
}

function fileSystemOf(text: string | undefined): "ext4" | "xfs" | "btrfs" | undefined {
  if (text === undefined || text === "ext4" || text === "xfs" || text === "btrfs") return text;
  throw usageError(`"${text}" is no file system for a disk: say ext4, xfs or btrfs`);
}

export function factsOf(found: PreparedDisk): readonly string[] {
  const { disk, model, serial, sizeBytes, content, blank, whyNotBlank, obstacles } = found;
  return renderFacts([
    ["disk", disk],
    ["model", model === "" ? "it tells none" : model],
    ["serial", serial === "" ? "it tells none" : serial],
    ["size", `${sizeBytes} bytes (${readableSize(sizeBytes)})`],
    ["on it", content.length > 0 ? content.join(", ") : "nothing that is known"],
    ["blank", blank ? "yes: every byte of it was read" : `no: ${whyNotBlank ?? "not known"}`],
    ...obstacles.map((each): [string, string] => ["in the way", each]),
  ]);
}

/** What the person types, or gave as options; the helper compares it. */
async function typedName(context: CommandContext, found: PreparedDisk) {
  const { arguments: given, world } = context;
  const options = ["model", "serial", "size"].map((name) => given.value(name));
  const { terminal } = world;
  const canAsk = terminal.inputIsTerminal && terminal.errorIsTerminal;
  if (!canAsk && options.every((each) => each === undefined)) {
    throw usageError(
      `${found.disk} is not provably blank, for which --yes is not enough: try --read, or give --model, --serial and --size`,
    );
  }
  const ask = async (name: string, shown: string): Promise<string> => {
    const option = given.value(name);
    if (option !== undefined) return option;
    if (shown === "" || !canAsk) return "";
    return (await terminal.ask(`Everything on it will be lost. Type its ${name}: `)).trim();
  };
  const model = await ask("model", found.model);
  const serial = await ask("serial", found.serial);
  const size = await ask("size", String(found.sizeBytes));
  const digits = size.replace(/ bytes$/, "");
  if (!/^\d{1,16}$/.test(digits)) throw usageError(`"${size}" is no size in bytes`);
  return { model, serial, sizeBytes: Number(digits) };
}

async function readAll(context: CommandContext, found: PreparedDisk): Promise<void> {
  const { output, signal } = context;
  const { disk, sequence } = found;
  for (;;) {
    const end = await context.controlClient().ask(readDisk, { disk, sequence }, signal);
    const { done, readBytes, sizeBytes, unreadableAtBytes } = end;
    output.note(`read ${readableSize(readBytes)} of ${readableSize(sizeBytes)}`);
    if (unreadableAtBytes !== undefined) {
      output.note(`the disk does not give what is at byte ${unreadableAtBytes}: do not use it`);
    }
    if (done) return;
  }
}

/** Until it is served, or failed. */
export async function followed(
  context: CommandContext,
  diskId: string,
): Promise<number | undefined> {
  const { output, world, signal } = context;
  let seenMs = world.clock.monotonicMs();
  let last = "";
  for (;;) {
    const { givings } = await context.controlClient().ask(listGivings, {}, signal);
    const giving = givings.find((each) => each.diskId === diskId);
    const nowMs = world.clock.monotonicMs();
    if (giving !== undefined) seenMs = nowMs;
    else if (nowMs - seenMs > unseenLimitMs) {
      throw new AppError("giving-lost", "the daemon was started anew: ask again, it goes on");
    }
    if (giving !== undefined && giving.state !== "running") return await reported(context, giving);
    if (giving !== undefined && giving.step !== last) {
      last = giving.step;
      output.note(`${giving.step}…`);
    }
    await delay(world.clock, askPeriodMs, signal);
  }
}

async function reported(context: CommandContext, giving: ShownGiving): Promise<undefined> {
  const { output } = context;
  const { state, disk, problem, directory } = giving;
  if (output.json) await output.value(giving);
  if (state === "done" && !output.json) {
    await output.lines([
      `${disk} is one of this node's, and serves from ${directory ?? "its place"}`,
    ]);
  }
  if (state === "undone" && !output.json) await output.lines([`${disk} is nobody's again`]);
  if (state === "done" || state === "undone") return undefined;
  const more =
    state === "interrupted" ? `; "cairn disk add ${disk}" goes on, --undo takes it back` : "";
  throw new AppError("disk-not-given", `${problem ?? "it was interrupted"}${more}`);
}
