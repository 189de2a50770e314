/** `cairn receipt`: which disks of which nodes hold a file, since when, and when they were last verified. */
import type { Command } from "#cli/command.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import type { Style } from "#cli/render/style.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import { readableTime } from "#cli/render/units.ts";
import { type ReceiptCopy, receipt } from "#control/operations/files.ts";

/** What an id can be at most. */
const maxIdLength = 200;

export const receiptCommand: Command = {
  name: "receipt",
  summary: "show which disks of which nodes hold a file",
  description: [
    "Asks the daemon of this machine, and through it every storage of the group: who holds the file, on which store path and disk, by when it was flushed there, and when a scrub has last read it and found it well. Storages of C FastDFS tell only that they have it. Who does not answer in time is listed as silent.",
    "FLUSHED is the time at which the disk noted the last change of the file there, which is flushed before anybody is told of it; of a packed file that came from another storage it is that of the trunk file it lies in, which may be later.",
    "The exit code is 66 where nobody who answered holds it, and 65 where a copy is damaged or two of them are not the same.",
  ],
  positionals: [{ name: "FILE-ID", says: "the file", required: true }],
  options: [{ name: "read", says: "have every copy read from its disk now" }],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn receipt group1/M00/00/1A/wKgB…jpg", says: "where it is" }],
  run: async (context) => {
    const { output, signal } = context;
    const id = context.positional(0).slice(0, maxIdLength);
    const read = context.arguments.has("read");
    const found = await context.controlClient().ask(receipt, { id, read }, signal);
    if (output.json) await output.value(found);
    else {
      const table = renderTable(found.copies, columns(output.style));
      await output.lines([found.says, "", ...table]);
    }
    const held = found.copies.filter(({ state }) => state === "holds");
    if (held.length === 0) return exitCodes.missing.code;
    const contents = new Set(held.map(({ sizeBytes, crc32 }) => `${sizeBytes} ${crc32}`));
    const isDamaged = found.copies.some(({ state }) => state === "damaged");
    return isDamaged || contents.size > 1 ? exitCodes.data.code : undefined;
  },
};

function columns(style: Style): readonly Column<ReceiptCopy>[] {
  const time = (seconds: number | undefined): string =>
    seconds === undefined ? "" : readableTime(seconds);
  return [
    {
      heading: "STORAGE",
      text: ({ storage, own, half }) => {
        const which = half === undefined ? "" : ` (${half} half)`;
        return own ? `${storage}${which || " (here)"}` : `${storage}${which}`;
      },
    },
    { heading: "STATE", text: ({ state }) => stateWord(state, style) },
    {
      heading: "PATH",
      text: ({ storePath, directory }) =>
        storePath === undefined
          ? ""
          : `${storePath}${directory === undefined ? "" : ` ${directory}`}`,
    },
    { heading: "DISK", text: ({ diskId, pathId }) => diskId ?? pathId ?? "" },
    { heading: "SIZE", text: ({ sizeBytes }) => String(sizeBytes ?? ""), right: true },
    {
      heading: "CRC-32",
      text: ({ crc32, crcFrom }) =>
        crc32 === undefined ? "" : `${crc32}${crcFrom === "read" ? " read" : ""}`,
    },
    { heading: "FLUSHED", text: ({ flushedAt }) => time(flushedAt) },
    {
      heading: "VERIFIED",
      text: ({ state, verifiedAt }) =>
        state === "holds" && verifiedAt === undefined ? "not yet" : time(verifiedAt),
    },
    { heading: "", text: ({ problem }) => problem ?? "" },
  ];
}

function stateWord(state: ReceiptCopy["state"], style: Style): string {
  if (state === "holds") return style.good(state);
  return state === "damaged" ? style.bad(state) : style.warning(state);
}
