/**
 * Metadata of a file: names and values in one text, records separated by 0x01, name and value by 0x02, nothing escaped
 * (protocol §2.6/13). Servers treat it as bytes, since clients write it in encodings of their own; people's tools read it as
 * UTF-8. What is stored is sorted by name, bytewise.
 */

/** Longer ones are cut by the server, in bytes. */
export const maxMetadataNameLength = 64;
export const maxMetadataValueLength = 256;

const recordSeparator = "\x01";
const fieldSeparator = "\x02";

/** `[name, value]`. */
export type MetadataEntry = readonly [string, string];

/** Entries as UTF-8 text, in the order given; a name or value must not contain the separators. */
export function formatMetadata(entries: Iterable<MetadataEntry>): Buffer {
  const records = Array.from(entries, ([name, value]) => name + fieldSeparator + value);
  return Buffer.from(records.join(recordSeparator));
}

/** The entries of a metadata text that is UTF-8, in its order, uncut; records without 0x02 are dropped. */
export function parseMetadata(text: Uint8Array): readonly MetadataEntry[] {
  return split(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8"));
}

/** True when a name or value would fall apart on its way. */
export function hasMetadataSeparator(text: string): boolean {
  return text.includes(recordSeparator) || text.includes(fieldSeparator);
}

/** What is stored when `text` overwrites what was there: records sorted by name and cut to their limits; duplicates stay. */
export function normalizeMetadata(text: Uint8Array): Buffer {
  return join(sorted(text));
}

/** What is stored when `text` is merged into `stored`: a name that both have gets the new value. */
export function mergeMetadata(stored: Uint8Array, text: Uint8Array): Buffer {
  const old = sorted(stored);
  const fresh = sorted(text);
  const merged: MetadataEntry[] = [];
  let at = 0;
  for (const entry of fresh) {
    while (at < old.length && (old[at]?.[0] ?? "") < entry[0]) {
      merged.push(old[at] as MetadataEntry);
      at += 1;
    }
    if (old[at]?.[0] === entry[0]) at += 1;
    merged.push(entry);
  }
  return join([...merged, ...old.slice(at)]);
}

/** Characters are bytes here (latin1), so that comparing and cutting texts compares and cuts bytes. */
function sorted(text: Uint8Array): readonly MetadataEntry[] {
  const characters = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("latin1");
  return split(characters)
    .map(
      ([name, value]): MetadataEntry => [
        name.slice(0, maxMetadataNameLength),
        value.slice(0, maxMetadataValueLength),
      ],
    )
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

function join(entries: readonly MetadataEntry[]): Buffer {
  const records = entries.map(([name, value]) => name + fieldSeparator + value);
  return Buffer.from(records.join(recordSeparator), "latin1");
}

function split(text: string): readonly MetadataEntry[] {
  const entries: MetadataEntry[] = [];
  for (const record of text.split(recordSeparator)) {
    const at = record.indexOf(fieldSeparator);
    if (at >= 0) entries.push([record.slice(0, at), record.slice(at + 1)]);
  }
  return entries;
}
