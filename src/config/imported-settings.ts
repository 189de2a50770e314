/**
 * The settings that an import has found, each with the place that it comes from, and their text as `cairn.toml`. `settle`
 * leaves in only what loads. Pure.
 */
import { posix } from "node:path";
import { hasCode } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import type { ConfigProblem } from "#config/errors.ts";
import { loadConfig } from "#config/load-config.ts";
import { schema, schemaByKey } from "#config/schema.ts";
import type { Entries, Table, TableList } from "#config/setting.ts";
import { formatTomlValue } from "#config/toml-text.ts";
import type { PlainValue } from "#config/value-types.ts";

/** Where a setting stood in FastDFS's files. */
export interface ImportPlace {
  readonly source: string;
  readonly line: number | undefined;
  /** FastDFS's key. */
  readonly key: string;
}

export interface ImportedSetting {
  readonly value: PlainValue;
  readonly place: ImportPlace;
}

export interface ImportedStorePath {
  readonly directory: string;
  readonly readonly: boolean;
  readonly place: ImportPlace;
}

export class ImportedSettings {
  readonly #settings = new Map<string, ImportedSetting>();
  #storePaths: readonly ImportedStorePath[] = [];

  get(key: string): ImportedSetting | undefined {
    return this.#settings.get(key);
  }

  /** Sets `key`; returns what stood there before, if it was something else. */
  set(key: string, value: PlainValue, place: ImportPlace): ImportedSetting | undefined {
    assert(schemaByKey.has(key), `${key} is a setting`);
    const before = this.#settings.get(key);
    this.#settings.set(key, { value, place });
    const isSame = before === undefined || formatTomlValue(before.value) === formatTomlValue(value);
    return isSame ? undefined : before;
  }

  setStorePaths(paths: readonly ImportedStorePath[]): void {
    this.#storePaths = paths;
  }

  /** Removes settings that do not fit together, until the text loads; returns why each was removed. */
  settle(): readonly ConfigProblem[] {
    const removed: ConfigProblem[] = [];
    for (;;) {
      const problem = this.#firstProblem();
      if (problem === undefined) return removed;
      const places = this.#remove(problem.key);
      assert(places.length > 0, `an import can be mended: ${problem.key}: ${problem.message}`);
      removed.push(
        ...places.map((place) => ({ ...place, message: `left out: ${problem.message}` })),
      );
    }
  }

  /** The text of a `cairn.toml`, in the order of the schema; `heading` becomes comments at its top. */
  format(heading: readonly string[]): string {
    const lines = [...heading.map(comment), ...this.#formatTables(schema.entries, [])];
    return `${lines.join("\n")}\n`;
  }

  #firstProblem(): ConfigProblem | undefined {
    const directory = "/";
    const file = { kind: "file", name: "cairn.toml", directory, text: this.format([]) } as const;
    try {
      loadConfig([file], { directory });
      return undefined;
    } catch (error) {
      if (!hasCode(error, "config-invalid")) throw error;
      return (error.details.problems as readonly ConfigProblem[])[0];
    }
  }

  /** Removes what a message of the loader calls `key`; returns where it came from. */
  #remove(key: string): readonly ImportPlace[] {
    const listed = /^storage\.path\[(\d+)\]/.exec(key);
    if (listed !== null) {
      // Those behind it go too: their position is their number in file ids.
      const removed = this.#storePaths.slice(Number(listed[1]));
      this.#storePaths = this.#storePaths.slice(0, Number(listed[1]));
      return removed.map((each) => each.place);
    }
    const plain = key.replace(/\[\d+\]$/, "");
    // Where a built-in value is in conflict with an imported one, the latter has the same name in another table.
    const name = plain.slice(plain.lastIndexOf(".") + 1);
    const found = this.#settings.has(plain)
      ? plain
      : [...this.#settings.keys()].find((each) => each.endsWith(`.${name}`));
    const setting = this.#settings.get(found ?? "");
    if (found === undefined || setting === undefined) return [];
    this.#settings.delete(found);
    return [setting.place];
  }

  #formatTables(entries: Entries, path: readonly string[]): readonly string[] {
    return Object.entries(entries).flatMap(([name, entry]) => {
      if (entry.kind === "setting") return [];
      const ownPath = [...path, name];
      if (entry.kind === "table-list") return this.#formatStorePaths(entry, ownPath);
      const own = this.#formatSettings(entry, ownPath);
      const head = own.length === 0 ? [] : ["", `[${ownPath.join(".")}]`];
      return [...head, ...own, ...this.#formatTables(entry.entries, ownPath)];
    });
  }

  #formatSettings(table: Table, path: readonly string[]): readonly string[] {
    return Object.entries(table.entries).flatMap(([name, entry]) => {
      const imported = this.#settings.get([...path, name].join("."));
      if (entry.kind !== "setting" || imported === undefined) return [];
      return [
        comment(`${entry.says} (${formatPlace(imported.place)})`),
        `${name} = ${formatTomlValue(imported.value)}`,
      ];
    });
  }

  #formatStorePaths(list: TableList, path: readonly string[]): readonly string[] {
    return this.#storePaths.flatMap(({ directory, readonly, place }) => [
      "",
      comment(`${list.says} (${formatPlace(place)})`),
      `[[${path.join(".")}]]`,
      `directory = ${formatTomlValue(directory)}`,
      `readonly = ${readonly}`,
    ]);
  }
}

function formatPlace({ source, line, key }: ImportPlace): string {
  const file = posix.basename(source);
  return [key, line === undefined ? file : `${file}:${line}`]
    .filter((part) => part !== "")
    .join(", ");
}

/** A comment on one line, whatever is in `text`. */
function comment(text: string): string {
  return `# ${text.toWellFormed().replace(/[^\P{C}\t]/gu, " ")}`.trimEnd();
}
