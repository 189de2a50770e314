/** `cairn id`: what file ids say, without asking anybody. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { renderFacts } from "#cli/render/table.ts";
import { readableCrc32, readableSize, readableTime } from "#cli/render/units.ts";
import { type DecodedBase, decodeBase, splitFileId } from "#model/file-id.ts";
import {
  directoryName,
  formatRemoteFilename,
  parseRemoteFilename,
  type RemoteFilename,
} from "#model/remote-filename.ts";
import { isStorePathIndex, storePathPrefix } from "#model/store-path-index.ts";
import { trunkFilename } from "#model/trunk-location.ts";

export const idCommand: Command = {
  name: "id",
  summary: "explain file ids without asking anybody",
  description: [
    "A FastDFS file id tells which storage took the file, when, how large it is, its CRC-32, and where it lies. The id may stand without its group. Whether the file is there only a storage knows: cairn info.",
    "Three things to know: the size and CRC-32 of slave files are not in their name, nor the size of appender files; on a cluster that deduplicates the CRC-32 is a random number; an IPv4 address that ends in .0 reads as a storage number.",
  ],
  positionals: [{ name: "FILE-ID", says: "the ids", required: true, repeatable: true }],
  options: [],
  shared: ["json"],
  examples: [
    {
      line: "cairn id group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
      says: "2097152 bytes, stored by 10.9.0.2",
    },
  ],
  run,
};

interface Explained {
  /** As given. */
  readonly fileId: string;
  readonly group: string | undefined;
  readonly name: RemoteFilename;
  readonly decoded: DecodedBase;
}

async function run(context: CommandContext): Promise<undefined> {
  const { output, arguments: given } = context;
  const all = given.positionals.map(explain);
  if (output.json) {
    await output.value({ files: all.map(explainedValue) });
    return undefined;
  }
  for (const [at, one] of all.entries()) {
    await output.lines([...(at > 0 ? [""] : []), ...explainedLines(one)]);
  }
}

/** Throws `usage` for what is no file id, and says which part of it. */
function explain(text: string): Explained {
  const wrong = (why: string): Error => usageError(`"${text.slice(0, 160)}" is no file id: ${why}`);
  const parts = splitFileId(text);
  const bare = parseRemoteFilename(text);
  const name = bare ?? (parts === undefined ? undefined : parseRemoteFilename(parts.filename));
  if (name === undefined) {
    throw wrong("a group, Mxx, two directories of two hexadecimal digits and a name are expected");
  }
  const decoded = decodeBase(name.base);
  if (decoded === undefined)
    throw wrong("its last part does not begin with 27 characters of base64");
  return { fileId: text, group: bare === undefined ? parts?.group : undefined, name, decoded };
}

function kindOf({ isAppender, isSlave, isTrunk }: DecodedBase): string {
  if (isAppender) return "appender";
  if (isSlave) return "slave";
  return isTrunk ? "trunk" : "normal";
}

const kindSentences: Readonly<Record<string, string>> = {
  normal: "normal file",
  appender: "appender file, which can be changed",
  slave: "slave file, named after another one",
  trunk: "small file in a slot of a trunk file",
};

function explainedLines(one: Explained): readonly string[] {
  const { decoded, name } = one;
  const kind = kindOf(decoded);
  const facts: (readonly [string, string])[] = [["file id", one.fileId]];
  if (one.group !== undefined) facts.push(["group", one.group]);
  facts.push(
    ["kind", kindSentences[kind] ?? kind],
    ["stored by", sourceSentence(decoded)],
    ["time", `${readableTime(decoded.timestamp)} (${decoded.timestamp}), ${timeSentence(kind)}`],
    ["size", sizeSentence(decoded)],
    ["CRC-32", crcSentence(decoded, kind)],
  );
  if (decoded.extension !== "") facts.push(["extension", decoded.extension]);
  facts.push(["store path", `${prefixOf(name)} (store_path${name.storePathIndex})`]);
  if (decoded.trunk !== undefined) {
    const { fileId, offset, size } = decoded.trunk;
    facts.push(["slot", `${size} bytes at ${offset} of trunk file ${fileId}, header included`]);
  }
  facts.push(["on disk", `<store path>/data/${placeOf(one)}`]);
  return renderFacts(facts);
}

function sourceSentence({ source }: DecodedBase): string {
  if (source.kind === "address") return source.address;
  return `storage number ${source.id}, whose address the tracker knows (or an address that ends in .0)`;
}

function timeSentence(kind: string): string {
  if (kind === "trunk") return "when the upload began";
  return kind === "slave" ? "when the upload of its master ended" : "when the upload ended";
}

function sizeSentence({ size }: DecodedBase): string {
  return size === undefined
    ? "not in the name; cairn info asks a storage"
    : `${size} bytes (${readableSize(size)})`;
}

function crcSentence({ crc32 }: DecodedBase, kind: string): string {
  const digits = readableCrc32(crc32);
  if (kind === "slave") return `${digits} is that of its master`;
  return kind === "appender" ? `${digits} is that of what it was stored with` : digits;
}

function prefixOf(name: RemoteFilename): string {
  const index = name.storePathIndex;
  return isStorePathIndex(index) ? storePathPrefix(index) : `M${index}`;
}

function placeOf({ name, decoded }: Explained): string {
  const directory = `${directoryName(name.high)}/${directoryName(name.low)}`;
  const file = decoded.trunk === undefined ? name.base : trunkFilename(decoded.trunk.fileId);
  return `${directory}/${file}`;
}

function explainedValue(one: Explained): unknown {
  const { decoded, name } = one;
  const kind = kindOf(decoded);
  return {
    fileId: one.fileId,
    group: one.group ?? null,
    filename: formatRemoteFilename(name),
    kind,
    storePathIndex: name.storePathIndex,
    sourceAddress: decoded.source.kind === "address" ? decoded.source.address : null,
    sourceId: decoded.source.kind === "id" ? decoded.source.id : null,
    timestamp: decoded.timestamp,
    sizeBytes: decoded.size ?? null,
    crc32: readableCrc32(decoded.crc32),
    crc32IsOfContent: kind === "normal" || kind === "trunk",
    extension: decoded.extension,
    trunk: decoded.trunk ?? null,
    path: `data/${placeOf(one)}`,
  };
}
