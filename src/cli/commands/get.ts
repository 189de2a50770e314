/** `cairn get`: fetches files. */
import { AppError, hasCode } from "#base/app-error.ts";
import { parseByteSize } from "#base/byte-size.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { eachItem } from "#cli/each-item.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { ProgressBar } from "#cli/render/progress-bar.ts";
import { readableSize } from "#cli/render/units.ts";
import { fetchFile } from "#cli/transfer/fetch-file.ts";
import { maxLanes } from "#cli/transfer/lanes.ts";
import { partPath } from "#cli/transfer/partial-file.ts";
import { streamToOutput } from "#cli/transfer/stream-to-output.ts";
import type { FileInformation } from "#client/file-information.ts";
import { crc32ByName, knownFile } from "#client/file-names.ts";

export const getCommand: Command = {
  name: "get",
  summary: "fetch files",
  description: [
    "Fetches each file into the working directory, under the last part of its id, or where --output says. Until it is complete it is called NAME.part, with a note NAME.part.json beside it; the same command goes on where an earlier one was interrupted.",
    "The bytes of a normal file are compared with the CRC-32 that its id carries before the file gets its name; a file with other bytes is kept as NAME.damaged. Ids of appender and slave files carry none, nor is a part of a file compared. Ids of a FastDFS that deduplicates carry a wrong one: use --no-verify there.",
    "When a storage breaks in the middle, the rest comes from another one.",
  ],
  positionals: [{ name: "FILE-ID", says: "the files to fetch", required: true, repeatable: true }],
  options: [
    {
      name: "output",
      short: "o",
      value: "PATH",
      says: "the file to make, or a directory; - is standard output",
      complete: "file",
    },
    {
      name: "parallel",
      short: "p",
      value: "N",
      says: `fetch N stretches of a file at the same time, 1 to ${maxLanes}, each at least 1 MiB`,
    },
    { name: "offset", value: "SIZE", says: "begin at this byte, such as 1048576 or 1MiB" },
    { name: "length", value: "SIZE", says: "fetch so many bytes; less where the file ends" },
    { name: "no-verify", says: "do not compare the CRC-32" },
  ],
  shared: ["json", "yes", "tracker", "config"],
  examples: [
    { line: "cairn get group1/M00/00/00/….jpg", says: "makes ….jpg here" },
    { line: "cairn get -p 4 -o backup.tar group1/M00/…tar", says: "in four stretches" },
    { line: "cairn get -o - group1/M00/…tar | tar t", says: "to another program" },
    { line: "cairn get --offset 1MiB --length 64KiB -o part group1/…", says: "a range" },
  ],
  run,
};

interface Plan {
  readonly output: string | undefined;
  readonly parallel: number;
  readonly offset: number;
  readonly length: number | undefined;
  readonly verifies: boolean;
}

interface Got {
  readonly fileId: string;
  /** `-` for standard output. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly resumedBytes: number;
  readonly verified: boolean;
}

async function run(context: CommandContext): Promise<number> {
  const { output, arguments: given } = context;
  const plan = await planOf(context);
  const files: Got[] = [];
  const { failures, exitCode } = await eachItem(context, given.positionals, async (fileId) => {
    files.push(await fetchOne(context, fileId, plan));
  });
  if (output.json) await output.value({ files, failures });
  return exitCode;
}

async function planOf(context: CommandContext): Promise<Plan> {
  const { arguments: given } = context;
  for (const fileId of given.positionals) knownFile(fileId);
  const output = given.value("output");
  if (given.positionals.length > 1 && output !== undefined && output !== "-") {
    const target = await context.world.files.stat(context.path(output));
    if (target?.kind !== "directory") {
      throw usageError("for several files --output must be a directory that exists, or -");
    }
  }
  if (output === "-" && given.has("json")) {
    throw usageError("--json and --output - both want standard output");
  }
  return {
    output,
    parallel: parallelOf(given.value("parallel")),
    offset: sizeOf("offset", given.value("offset")) ?? 0,
    length: sizeOf("length", given.value("length")),
    verifies: !given.has("no-verify"),
  };
}

function parallelOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= maxLanes) return count;
  throw usageError(`--parallel: "${text}" is not a number from 1 to ${maxLanes}`);
}

function sizeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw usageError(`--${option}: "${text}" is not a size, such as 65536, 64KiB or 1G`);
}

async function fetchOne(context: CommandContext, fileId: string, plan: Plan): Promise<Got> {
  const { signal } = context;
  const info = await context.client().fileInfo(fileId, {
    ask: "always",
    withoutCrc32: true,
    signal,
  });
  const fileSize = info.sizeBytes ?? 0;
  if (plan.offset > fileSize) {
    throw new AppError(
      "range-invalid",
      `cannot get ${fileId} from byte ${plan.offset} on: it has ${fileSize} bytes`,
    );
  }
  const total = Math.min(plan.length ?? fileSize, fileSize - plan.offset);
  const isWhole = total === fileSize;
  const crc32 = isWhole && plan.verifies ? crc32ByName(knownFile(fileId)) : undefined;
  if (plan.output !== "-") return await fetchToFile(context, { info, plan, total, crc32 });
  const { offset } = plan;
  await streamToOutput(context, { fileId, offset, total, crc32 });
  return { fileId, path: "-", sizeBytes: total, resumedBytes: 0, verified: crc32 !== undefined };
}

async function fetchToFile(
  context: CommandContext,
  job: {
    readonly info: FileInformation;
    readonly plan: Plan;
    readonly total: number;
    readonly crc32: number | undefined;
  },
): Promise<Got> {
  const { world, output, signal } = context;
  const { info, plan, total, crc32 } = job;
  const { fileId } = info;
  const path = await targetPath(context, fileId, plan.output);
  await askToOverwrite(context, path);
  const bar = new ProgressBar(world, {
    label: path.slice(path.lastIndexOf("/") + 1),
    totalBytes: total,
    visible: output.showsProgress,
  });
  try {
    const { resumedBytes, verified } = await fetchFile(
      { client: context.client(), files: world.files, clock: world.clock, signal },
      {
        fileId,
        fileSize: info.sizeBytes ?? 0,
        offset: plan.offset,
        total,
        modifiedAt: info.kind === "appender" ? info.timestamp : undefined,
        path,
        parallel: plan.parallel,
        crc32,
        progress: (bytes) => bar.add(bytes),
      },
    );
    bar.end();
    const went = resumedBytes > 0 ? `, ${readableSize(resumedBytes)} of it were here already` : "";
    output.note(`${path}: ${readableSize(total)}${went}`);
    return { fileId, path, sizeBytes: total, resumedBytes, verified };
  } catch (error) {
    bar.end();
    await tellOfPart(context, path, error);
    throw error;
  }
}

async function targetPath(
  context: CommandContext,
  fileId: string,
  output: string | undefined,
): Promise<string> {
  const name = fileId.slice(fileId.lastIndexOf("/") + 1);
  if (output === undefined) return context.path(name);
  const path = context.path(output);
  const target = await context.world.files.stat(path);
  return target?.kind === "directory" || output.endsWith("/") ? `${path}/${name}` : path;
}

async function askToOverwrite(context: CommandContext, path: string): Promise<void> {
  const there = await context.world.files.stat(path);
  if (there === undefined) return;
  if (there.kind !== "file") {
    throw new AppError("output-exists", `${path} is there and no ordinary file: use --output`);
  }
  if (await context.confirm(`${path} is there already; overwrite it?`)) return;
  throw new AppError("output-exists", `${path} was left as it is`);
}

async function tellOfPart(context: CommandContext, path: string, error: unknown): Promise<void> {
  if (hasCode(error, "crc-mismatch")) return;
  const part = await context.world.files.stat(partPath(path));
  if (part === undefined) return;
  context.output.note(`${partPath(path)} keeps what arrived; the same command goes on from there`);
}
