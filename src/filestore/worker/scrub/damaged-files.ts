/**
 * The damaged files of a store path that are not healed yet, in `.cairn/scrub-damaged`, a line each: healing goes on after a restart. Worker
 * thread.
 */
import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import { damages, type Finding } from "#filestore/scrub/findings.ts";
import { maxDamaged, maxDamagedBytes } from "#filestore/scrub/limits.ts";
import type { DamagedFile, DamagedState } from "#filestore/scrub/scrub-report.ts";
import type { Files } from "#platform/files.ts";

const states: readonly DamagedState[] = ["found", "aside", "lost", "kept"];
const linePattern =
  /^([0-9A-F]{2}\/[0-9A-F]{2}\/[^ /]{1,255}) (\S+) (\S+) (\d{1,12}) (\d{1,16}) (\d{1,10}|-) (\S+)$/;

export function formatDamaged(file: DamagedFile): string {
  const { place, damage, state, since, sizeBytes, crc32, region } = file;
  const where =
    region === undefined
      ? "-"
      : [region.fileId, region.offset, region.size, region.before ?? "-"].join(",");
  return [place, damage, state, since, sizeBytes, crc32 ?? "-", where].join(" ");
}

/** Undefined where the line is none. */
export function parseDamaged(line: string): DamagedFile | undefined {
  const match = linePattern.exec(line);
  const [, place = "", damageWord = "", stateWord = "", since = "", size = "", crc = ""] =
    match ?? [];
  const damage = damages.find((each) => each === damageWord);
  const state = states.find((each) => each === stateWord);
  if (match === null || damage === undefined || state === undefined) return undefined;
  const region = match[7] === "-" ? undefined : regionOf(match[7] ?? "");
  if (region === undefined && match[7] !== "-") return undefined;
  return {
    ...{ place, damage, state, since: Number(since), sizeBytes: Number(size), region },
    crc32: crc === "-" ? undefined : Number(crc),
  };
}

function regionOf(text: string): DamagedFile["region"] {
  const match = /^(\d{1,10}),(\d{1,10}),(\d{1,16}),(\d{1,10}|-)$/.exec(text);
  if (match === null) return undefined;
  const before = match[4] === "-" ? undefined : Number(match[4]);
  return { fileId: Number(match[1]), offset: Number(match[2]), size: Number(match[3]), before };
}

export class DamagedFiles {
  readonly #files: Files;
  readonly #path: string;
  #known: Map<string, DamagedFile> | undefined;
  #isChanged = false;
  /** Found, and not kept in mind. */
  #further = 0;

  /** `own`: the path's `.cairn`. */
  constructor(files: Files, own: string) {
    this.#files = files;
    this.#path = `${own}/scrub-damaged`;
  }

  get all(): readonly DamagedFile[] {
    return [...this.#list.values()];
  }

  get total(): number {
    return this.#list.size + this.#further;
  }

  get(place: string): DamagedFile | undefined {
    return this.#list.get(place);
  }

  /** Of a file that is known to be damaged nothing changes. */
  add({ place, damage, sizeBytes, crc32, region }: Finding, nowSeconds: number): void {
    const before = this.#list.get(place);
    if (before !== undefined && before.state !== "lost") return;
    if (before === undefined && this.#list.size >= maxDamaged) {
      this.#further += 1;
      return;
    }
    const since = nowSeconds;
    this.#list.set(place, { place, damage, sizeBytes, crc32, region, state: "found", since });
    this.#isChanged = true;
  }

  setState(place: string, state: DamagedState): void {
    const before = this.#list.get(place);
    if (before === undefined || before.state === state) return;
    this.#list.set(place, { ...before, state });
    this.#isChanged = true;
  }

  remove(place: string): void {
    if (this.#list.delete(place)) this.#isChanged = true;
  }

  /** Throws `FileError`. */
  save(): void {
    if (!this.#isChanged) return;
    const text = this.all.map((file) => `${formatDamaged(file)}\n`).join("");
    if (text === "") this.#files.remove(this.#path);
    else replaceFile(this.#files, this.#path, { temporary: `${this.#path}.new`, text });
    this.#isChanged = false;
  }

  get #list(): Map<string, DamagedFile> {
    if (this.#known !== undefined) return this.#known;
    const lines = (readSmallFile(this.#files, this.#path, maxDamagedBytes) ?? "").split("\n");
    const found = lines.map(parseDamaged).filter((file) => file !== undefined);
    this.#known = new Map(found.slice(0, maxDamaged).map((file) => [file.place, file]));
    return this.#known;
  }
}
