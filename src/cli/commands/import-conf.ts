/** `cairn import-conf`: FastDFS's configuration files as a cairn.toml. */
import { basename } from "node:path/posix";
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { formatProblem } from "#config/errors.ts";
import { type ImportedConf, type ImportFile, importConf } from "#config/import-conf.ts";
import { FileError } from "#platform/files.ts";

const kinds = ["tracker.conf", "storage.conf", "mod_fastdfs.conf"] as const;

export const importConfCommand: Command = {
  name: "import-conf",
  summary: "translate FastDFS's configuration files into a cairn.toml",
  description: [
    "Reads tracker.conf, storage.conf and mod_fastdfs.conf, one of each at most, and prints the settings that mean the same. What has no equivalent is listed with the reason, on standard error. Nothing is written but to --output.",
  ],
  positionals: [
    {
      name: "FILE",
      says: "the files; which is which shows their name, or KIND=FILE says it",
      required: true,
      repeatable: true,
      complete: "file",
    },
  ],
  options: [
    {
      name: "output",
      short: "o",
      value: "PATH",
      says: "write the settings there instead; - is standard output",
      complete: "file",
    },
  ],
  shared: ["json", "yes"],
  examples: [
    { line: "cairn import-conf /etc/fdfs/*.conf -o cairn.toml", says: "a whole installation" },
    { line: "cairn import-conf storage.conf=/tmp/st1.conf", says: "a file of another name" },
  ],
  run,
};

async function run(context: CommandContext): Promise<number | undefined> {
  const { output, arguments: given } = context;
  const files: ImportFile[] = [];
  for (const word of given.positionals) {
    const file = await readFile(context, word);
    if (file === undefined) continue;
    if (files.some((one) => one.kind === file.kind)) throw usageError(`two files are ${file.kind}`);
    files.push(file);
  }
  if (files.length === 0) throw usageError(`none of the files is ${kinds.join(", ")}`);
  const { toml, leftOut, problems } = await importWithIncludes(context, files);
  if (output.json) {
    await output.value({ toml, leftOut, problems });
    return undefined;
  }
  for (const problem of problems) output.warn(formatProblem(problem));
  if (leftOut.length > 0) output.note("Left out, because there is no equivalent:");
  for (const { source, line, key, reason } of leftOut) {
    output.note(`  ${line === undefined ? source : `${source}:${line}`}: ${key}: ${reason}`);
  }
  await write(context, toml);
  return undefined;
}

/** Undefined, with a note, for files of other kinds that a shell pattern brought. */
async function readFile(context: CommandContext, word: string): Promise<ImportFile | undefined> {
  const named = kinds.find((kind) => word.startsWith(`${kind}=`));
  const path = context.path(named === undefined ? word : word.slice(named.length + 1));
  const kind = named ?? kinds.find((one) => one === basename(path));
  if (kind === undefined) {
    context.output.note(`${path} is passed over: it is none of ${kinds.join(", ")}`);
    return undefined;
  }
  const text = await context.world.files.readText(path);
  if (text === undefined) throw new FileError("ENOENT", `there is no file ${path}`, path);
  return { kind, path, text };
}

/** Includes may include others; FastDFS's own files nest two deep. */
const maxRounds = 8;

/** Imports, reads the files that turned out to be included, and imports again until nothing new is asked for. */
async function importWithIncludes(
  context: CommandContext,
  files: readonly ImportFile[],
): Promise<ImportedConf> {
  const texts = new Map<string, string | undefined>();
  for (let round = 1; ; round += 1) {
    const wanted = new Set<string>();
    const imported = importConf(files, (path) => {
      if (!texts.has(path)) wanted.add(path);
      return texts.get(path);
    });
    if (wanted.size === 0 || round === maxRounds) return imported;
    for (const path of wanted) texts.set(path, await context.world.files.readText(path));
  }
}

async function write(context: CommandContext, toml: string): Promise<void> {
  const target = context.arguments.value("output");
  if (target === undefined || target === "-") {
    await context.output.lines([toml.trimEnd()]);
    return;
  }
  const path = context.path(target);
  const { files } = context.world;
  const there = (await files.stat(path)) !== undefined;
  if (there && !(await context.confirm(`${path} is there already; overwrite it?`))) {
    throw new AppError("output-exists", `${path} was left as it is`);
  }
  await files.writeText(path, toml);
  context.output.note(`${path} was written; cairn doctor --config ${path} looks at it`);
}
