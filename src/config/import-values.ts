/** Values of FastDFS's files in the notation of `cairn.toml`, by the type of the setting that they go to. Pure. */
import { posix } from "node:path";
import { formatByteSize, parseByteSize } from "#base/byte-size.ts";
import type { Reading } from "#config/errors.ts";
import { type FastdfsItem, isFastdfsTrue } from "#config/fastdfs-conf.ts";
import type { Setting } from "#config/setting.ts";
import { describeValue, type PlainValue } from "#config/value-types.ts";

/**
 * The value for `setting`, which is no list, that means what `item` means to FastDFS. It is one that the setting allows; a
 * problem says why there is none.
 */
export function importValue(setting: Setting, item: FastdfsItem): Reading<PlainValue> {
  const raw = asWritten(setting, item);
  if (raw !== undefined) return checkedValue(setting, raw);
  return {
    problem: `${describeValue(item.value)} is not allowed; allowed is ${allowedIn(setting)}`,
  };
}

/** `raw` as the setting writes it, where it allows it. */
export function checkedValue(setting: Setting, raw: PlainValue): Reading<PlainValue> {
  const reading = setting.type.read(raw);
  return "problem" in reading ? reading : { value: setting.type.write(reading.value) };
}

/** The value in the notation of `cairn.toml`; undefined where FastDFS means nothing by it. */
function asWritten(setting: Setting, item: FastdfsItem): PlainValue | undefined {
  const { value } = item;
  const word = value.toLowerCase();
  switch (setting.type.name) {
    case "true or false":
      return isFastdfsTrue(value);
    case "integer":
      return /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value;
    case "duration":
      // FastDFS counts in seconds wherever a setting of ours is a duration.
      return /^\d{1,12}$/.test(value) ? `${Number(value)}s` : undefined;
    case "size":
    case "size or percentage": {
      const bytes = parseByteSize(value);
      return bytes === undefined ? value : formatByteSize(bytes);
    }
    case "choice":
      return translate(setting.fastdfsValues ?? {}, word);
    case "path":
      return value === "" || posix.isAbsolute(value)
        ? value
        : posix.join(posix.dirname(item.file), value);
    case "text":
    case "time of day":
    case "list":
      return value;
  }
}

/** Words stay as they are, except where FastDFS has numbers for them. */
function translate(words: Readonly<Record<string, string>>, word: string): string | undefined {
  if (Object.hasOwn(words, word)) return words[word];
  return Object.hasOwn(words, "0") ? undefined : word;
}

function allowedIn(setting: Setting): string {
  if (setting.type.name === "duration") return "a whole number of seconds";
  return `one of ${Object.keys(setting.fastdfsValues ?? {}).join(", ")}`;
}
