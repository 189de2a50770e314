/** `cairn append`, `modify`: changing the bytes of an appender file. */
import { parseByteSize } from "#base/byte-size.ts";
import type { Command, PositionalSpec } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { ProgressBar } from "#cli/render/progress-bar.ts";
import { readableSize } from "#cli/render/units.ts";
import { CountedContent } from "#cli/transfer/counted-content.ts";
import { openContent } from "#cli/transfer/open-content.ts";
import { knownFile } from "#client/file-names.ts";

const positionals: readonly PositionalSpec[] = [
  { name: "FILE-ID", says: "the appender file", required: true },
  {
    name: "FILE",
    says: "what to take the bytes from; - is standard input",
    required: true,
    complete: "file",
  },
];

export const appendCommand: Command = {
  name: "append",
  summary: "add bytes at the end of an appender file",
  description: [
    "Only files stored with cairn put --appender can be changed. When the connection breaks after the last byte was sent, nobody knows whether it was added: the exit code is 76 then, and nothing is tried again.",
  ],
  positionals,
  options: [],
  shared: ["tracker", "config"],
  examples: [{ line: "date | cairn append group1/M00/…log -", says: "adds a line" }],
  run: (context) =>
    send(context, (content) =>
      context.client().append(context.positional(0), content, { signal: context.signal }),
    ),
};

export const modifyCommand: Command = {
  name: "modify",
  summary: "overwrite bytes of an appender file",
  description: [
    "Writes the bytes of FILE over those of the appender file from --offset on, which may be at most its size; the file grows where they reach past its end.",
  ],
  positionals,
  options: [
    {
      name: "offset",
      value: "SIZE",
      says: "where the first byte goes, such as 4096 or 4KiB; needed",
    },
  ],
  shared: ["tracker", "config"],
  examples: [
    { line: "cairn modify --offset 0 group1/M00/…dat header.bin", says: "replaces its begin" },
  ],
  run: (context) => {
    const text = context.arguments.value("offset");
    if (text === undefined) throw usageError("modify needs --offset");
    const offset = parseByteSize(text);
    if (offset === undefined) {
      throw usageError(`--offset: "${text}" is not a size, such as 4096 or 4KiB`);
    }
    const { signal } = context;
    return send(context, (content) =>
      context.client().modify(context.positional(0), content, { offset, signal }),
    );
  },
};

async function send(
  context: CommandContext,
  how: (content: CountedContent) => Promise<void>,
): Promise<undefined> {
  knownFile(context.positional(0));
  const source = context.positional(1);
  await using opened = await openContent(context, source);
  const bar = new ProgressBar(context.world, {
    label: source === "-" ? "standard input" : source,
    totalBytes: opened.content.length,
    visible: context.output.showsProgress,
  });
  try {
    await how(new CountedContent(opened.content, (bytes) => bar.add(bytes)));
  } finally {
    bar.end();
  }
  context.output.note(`${readableSize(opened.content.length)} written`);
}
