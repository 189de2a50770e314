/** `cairn put`: stores files, prints their ids. */
import { basename } from "node:path/posix";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { eachItem } from "#cli/each-item.ts";
import { parseMetadataWords } from "#cli/metadata-words.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { ProgressBar } from "#cli/render/progress-bar.ts";
import { readableCrc32 } from "#cli/render/units.ts";
import { CountedContent } from "#cli/transfer/counted-content.ts";
import { openContent } from "#cli/transfer/open-content.ts";
import { crc32ByName, extensionOfPath, knownFile } from "#client/file-names.ts";
import type { MetadataEntry } from "#model/file-metadata.ts";

export const putCommand: Command = {
  name: "put",
  summary: "store files and print their ids",
  description: [
    "Stores each FILE and prints one file id a line, in the order of the files. With - standard input is stored; it is kept in memory or, when it is larger than 8 MiB, in a temporary file first, because the protocol wants to know the length.",
    "A file is offered to the next storage when one cannot be reached or refuses it, as long as it cannot be stored twice. What a storage says the CRC-32 of a file is, in its id, is compared with what was sent.",
    "When one of several files fails, the others are stored nevertheless.",
  ],
  positionals: [
    {
      name: "FILE",
      says: "the files to store; - is standard input",
      required: true,
      repeatable: true,
      complete: "file",
    },
  ],
  options: [
    {
      name: "meta",
      short: "m",
      value: "NAME=VALUE",
      repeatable: true,
      says: "metadata to set with the file; when that fails the file is deleted again",
    },
    {
      name: "ext",
      short: "e",
      value: "EXT",
      says: "the extension of the file id, at most 6 characters, empty for none; else that of the file",
    },
    {
      name: "group",
      short: "g",
      value: "GROUP",
      says: "store in this group; else the tracker chooses",
    },
    { name: "appender", says: "store as an appender file, which can be changed later" },
    {
      name: "master",
      value: "FILE-ID",
      says: "store as a slave of this file, with a name made of its name; needs --prefix",
    },
    { name: "prefix", value: "TEXT", says: "what a slave's name has behind that of its master" },
  ],
  shared: ["json", "tracker", "config"],
  examples: [
    { line: "cairn put photo.jpg", says: "prints group1/M00/00/00/….jpg" },
    { line: "cairn put -m author=me -m place=home *.jpg", says: "the same metadata for each" },
    { line: "tar c dir | cairn put --ext tar -", says: "stores what a program writes" },
    {
      line: "cairn put --master group1/M00/…jpg --prefix _small small.jpg",
      says: "stores a smaller version beside the original",
    },
  ],
  run,
};

interface Plan {
  readonly metadata: readonly MetadataEntry[];
  /** Undefined takes that of each file. */
  readonly extension: string | undefined;
  readonly group: string | undefined;
  readonly appender: boolean;
  readonly master: string | undefined;
  readonly prefix: string;
}

interface Stored {
  readonly source: string;
  readonly fileId: string;
  readonly sizeBytes: number;
  readonly crc32: string;
}

async function run(context: CommandContext): Promise<number> {
  const { output, arguments: given } = context;
  const plan = planOf(context);
  const stored: Stored[] = [];
  const { failures, exitCode } = await eachItem(context, given.positionals, async (source) => {
    const one = await store(context, source, plan);
    stored.push(one);
    if (!output.json) await output.lines([one.fileId]);
  });
  if (output.json) await output.value({ files: stored, failures });
  return exitCode;
}

function planOf({ arguments: given }: CommandContext): Plan {
  const master = given.value("master");
  const prefix = given.value("prefix");
  if ((master === undefined) !== (prefix === undefined)) {
    throw usageError("a slave file needs both --master and --prefix");
  }
  if (master !== undefined) {
    if (given.positionals.length > 1) throw usageError("with --master only one FILE can be stored");
    if (given.has("appender")) throw usageError("a slave file cannot be an appender file");
    if (given.has("group")) throw usageError("a slave file is stored in the group of its master");
    knownFile(master);
  }
  if (given.positionals.filter((path) => path === "-").length > 1) {
    throw usageError("- may stand only once");
  }
  return {
    metadata: parseMetadataWords(given.values("meta")),
    extension: given.value("ext"),
    group: given.value("group"),
    appender: given.has("appender"),
    master,
    prefix: prefix ?? "",
  };
}

async function store(context: CommandContext, source: string, plan: Plan): Promise<Stored> {
  const { output, world, signal } = context;
  await using opened = await openContent(context, source);
  const bar = new ProgressBar(world, {
    label: source === "-" ? "standard input" : basename(source),
    totalBytes: opened.content.length,
    visible: output.showsProgress,
  });
  const content = new CountedContent(opened.content, (bytes) => bar.add(bytes));
  const extension = plan.extension ?? (source === "-" ? "" : extensionOfPath(source));
  try {
    const fileId = await send(context, content, { ...plan, extension, signal });
    bar.end();
    warnOfOtherCrc32(context, { fileId, source, sent: content.crc32 });
    return { source, fileId, sizeBytes: content.length, crc32: readableCrc32(content.crc32) };
  } finally {
    bar.end();
  }
}

function send(
  context: CommandContext,
  content: CountedContent,
  plan: Plan & { readonly extension: string; readonly signal: AbortSignal },
): Promise<string> {
  const { extension, metadata, signal, prefix, group, appender, master } = plan;
  const client = context.client();
  if (master !== undefined) {
    return client.uploadSlave(master, content, { prefix, extension, metadata, signal });
  }
  const options = {
    extension,
    metadata,
    signal,
    ...(group === undefined ? {} : { group }),
  };
  return appender ? client.uploadAppender(content, options) : client.upload(content, options);
}

function warnOfOtherCrc32(
  context: CommandContext,
  facts: { readonly fileId: string; readonly source: string; readonly sent: number },
): void {
  const told = crc32ByName(knownFile(facts.fileId));
  if (told === undefined || told === facts.sent) return;
  context.output.warn(
    `${facts.source}: the id says CRC-32 ${readableCrc32(told)}, but ${readableCrc32(facts.sent)} was sent: either the cluster deduplicates, or the bytes were damaged on their way; cairn get ${facts.fileId} shows what is stored`,
  );
}
