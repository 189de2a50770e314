/**
 * Where an import puts what it reads: settings that the schema allows, FastDFS's keys without equivalent, and what is wrong.
 * Nothing that the schema would refuse gets into the settings. Pure.
 */
import { posix } from "node:path";
import { present } from "#base/assert.ts";
import { splitOutsideBrackets } from "#config/address-rules.ts";
import type { ConfigProblem } from "#config/errors.ts";
import { type FastdfsItem, isFastdfsFalse, isFastdfsTrue } from "#config/fastdfs-conf.ts";
import { checkedValue, importValue } from "#config/import-values.ts";
import { ImportedSettings, type ImportPlace } from "#config/imported-settings.ts";
import { schemaByKey } from "#config/schema.ts";
import type { Setting } from "#config/setting.ts";
import type { PlainValue } from "#config/value-types.ts";

/** A setting of FastDFS that has no equivalent. */
export interface LeftOut {
  readonly source: string;
  readonly line: number | undefined;
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

/** One entry of a list and the item that it stands in. */
export interface ListEntry {
  readonly text: string;
  readonly item: FastdfsItem;
}

/** A list that would be empty means everybody or everywhere; this stands in until a person has corrected it. */
const closed = ["127.0.0.1"];

export class ImportTarget {
  readonly settings = new ImportedSettings();
  readonly leftOut: LeftOut[] = [];
  readonly problems: ConfigProblem[] = [];

  /** Sets `key` to a value that the schema allows. */
  set(key: string, value: PlainValue, item: FastdfsItem): void {
    const before = this.settings.set(key, value, placeOf(item));
    // Our own directory goes where the storage is; that is no contradiction between the two files.
    if (before === undefined || key === "node.data_dir") return;
    const reason = `${item.file} says ${item.value}; one value holds for all roles of a node, and the storage's was taken`;
    this.leftOut.push({ ...before.place, value: String(before.value), reason });
  }

  /** Sets `key` to what `item` means, or reports why it cannot. */
  setFrom(key: string, item: FastdfsItem): void {
    const value = importValue(settingOf(key), item);
    if ("value" in value) this.set(key, value.value, item);
    else this.report(item, `${value.problem}; left out`);
  }

  /** Sets a list from its entries, without those that are wrong or stand twice. */
  setList(key: string, entries: readonly ListEntry[]): void {
    const values: PlainValue[] = [];
    for (const { text, item } of entries) {
      const one = checkedList(key, [text]);
      if (typeof one === "string") this.report(item, `${one}; left out`);
      else if (!one.every((value) => values.includes(value))) {
        const all = checkedList(key, [...values, ...one]);
        if (typeof all === "string") this.report(item, `${all}; left out`);
        else values.push(...one);
      }
    }
    const first = entries[0]?.item;
    if (first === undefined) return;
    if (values.length > 0) this.set(key, values, first);
    else if (key !== "storage.trackers") {
      this.report(
        first,
        `nothing of it could be taken; ${key} is ${closed.join(", ")} until you correct it`,
      );
      this.set(key, closed, first);
    }
  }

  /** Reports a word that somebody may have meant for true, and FastDFS takes for false. */
  doubtFlag(item: FastdfsItem): void {
    if (isFastdfsTrue(item.value) || isFastdfsFalse(item.value)) return;
    this.report(item, `"${item.value}" is neither true nor false; FastDFS takes it for false`);
  }

  leave(item: FastdfsItem, reason: string): void {
    this.leftOut.push({ ...placeOf(item), value: item.value, reason });
  }

  report(item: FastdfsItem, message: string): void {
    this.problems.push({ ...placeOf(item), message });
  }
}

export function placeOf(item: FastdfsItem): ImportPlace {
  return { source: item.file, line: item.line, key: item.key };
}

export function listEntries(item: FastdfsItem): readonly ListEntry[] {
  return splitOutsideBrackets(item.value, ",").map((text) => ({ text: text.trim(), item }));
}

/** The value as a path; a relative one starts from the directory of its file. */
export function pathOf(item: FastdfsItem): string {
  return posix.isAbsolute(item.value)
    ? item.value
    : posix.join(posix.dirname(item.file), item.value);
}

export function settingOf(key: string): Setting {
  const entry = schemaByKey.get(key)?.entry;
  return present(entry?.kind === "setting" ? entry : undefined, `the setting ${key}`);
}

/** The list as the setting writes it, or what is wrong with it. */
function checkedList(key: string, texts: readonly PlainValue[]): readonly PlainValue[] | string {
  const checked = checkedValue(settingOf(key), texts);
  if ("problem" in checked) return checked.problem;
  return typeof checked.value === "object" ? checked.value : [checked.value];
}
