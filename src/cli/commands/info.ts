/** `cairn info`: what is known of files. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { eachItem } from "#cli/each-item.ts";
import { renderFacts } from "#cli/render/table.ts";
import { readableCrc32, readableSize, readableTime } from "#cli/render/units.ts";
import type { FileInformation } from "#client/file-information.ts";
import { knownFile } from "#client/file-names.ts";

export const infoCommand: Command = {
  name: "info",
  summary: "show size, time and CRC-32 of files as a storage has them",
  description: [
    "Asks a storage, so that it shows whether the file is there. cairn id reads an id without asking anybody.",
    "For appender and slave files the storage computes the CRC-32 by reading the whole file, which --no-crc spares it.",
  ],
  positionals: [{ name: "FILE-ID", says: "the files", required: true, repeatable: true }],
  options: [{ name: "no-crc", says: "do not ask for the CRC-32" }],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn info --json group1/M00/00/00/….jpg", says: "for programs" }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output, signal, arguments: given } = context;
  for (const fileId of given.positionals) knownFile(fileId);
  const files: unknown[] = [];
  const { failures, exitCode } = await eachItem(context, given.positionals, async (fileId, at) => {
    const withoutCrc32 = given.has("no-crc");
    const info = await context.client().fileInfo(fileId, { ask: "always", withoutCrc32, signal });
    files.push(informationValue(info));
    if (!output.json) await output.lines([...(at > 0 ? [""] : []), ...informationLines(info)]);
  });
  if (output.json) await output.value({ files, failures });
  return exitCode;
}

function informationLines(info: FileInformation): readonly string[] {
  const facts: (readonly [string, string])[] = [
    ["file id", info.fileId],
    ["kind", info.kind],
  ];
  if (info.sizeBytes !== undefined) {
    facts.push(["size", `${info.sizeBytes} bytes (${readableSize(info.sizeBytes)})`]);
  }
  facts.push(["changed", `${readableTime(info.timestamp)} (${info.timestamp})`]);
  if (info.crc32 !== undefined) facts.push(["CRC-32", readableCrc32(info.crc32)]);
  if (info.sourceAddress !== undefined) facts.push(["stored by", info.sourceAddress]);
  if (info.sourceId !== undefined) facts.push(["storage id", info.sourceId]);
  return renderFacts(facts);
}

function informationValue(info: FileInformation): unknown {
  return {
    fileId: info.fileId,
    kind: info.kind,
    sizeBytes: info.sizeBytes ?? null,
    timestamp: info.timestamp,
    crc32: info.crc32 === undefined ? null : readableCrc32(info.crc32),
    sourceAddress: info.sourceAddress ?? null,
    sourceId: info.sourceId ?? null,
  };
}
