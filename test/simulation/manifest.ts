/**
 * What the clients were promised: each file with the contents that it may have now. An outcome that nobody knows leaves several, and
 * ends what is done with the file. Also collects what was found broken.
 */
import type { World } from "./platform/world.ts";

export interface KnownFile {
  readonly id: string;
  readonly group: string;
  readonly appender: boolean;
  readonly slave: boolean;
  /** One of these; the newest last. */
  possible: readonly Buffer[];
  /** All that it ever had: what a storage that lags may still show. */
  readonly history: Buffer[];
  existence: "there" | "unknown" | "deleted";
  /** One of these texts; undefined is none. */
  metadata: readonly (string | undefined)[];
  /** All that it ever had. */
  readonly metadataHistory: (string | undefined)[];
  /** The outcome of a change is unknown: it is only read from now on. */
  settled: boolean;
  /** Two storages changed it that did not know of each other's change: it ends the same everywhere, but as what is open. */
  contested: boolean;
  /** A client works with it. */
  taken: boolean;
}

export class Manifest {
  readonly files: KnownFile[] = [];
  readonly violations: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  add(
    id: string,
    content: Buffer,
    { appender = false, slave = false }: Partial<Pick<KnownFile, "appender" | "slave">> = {},
  ): KnownFile {
    const file: KnownFile = {
      id,
      group: id.slice(0, id.indexOf("/")),
      appender,
      slave,
      possible: [content],
      history: [content],
      existence: "there",
      metadata: [undefined],
      metadataHistory: [undefined],
      settled: false,
      contested: false,
      taken: false,
    };
    const twin = this.files.find((each) => each.id === id);
    if (twin !== undefined) this.violation(`the id ${id} was given twice`);
    this.files.push(file);
    return file;
  }

  /**
   * A disk of the group is gone for good. What only it knew, since nobody else had heard of it yet, is nobody's promise any more; a deletion
   * is known where it is in somebody's binlog, since a file that is nowhere may still be on its way.
   */
  diskLost(
    group: string,
    left: {
      /** What the group's storages have of a file now. */
      readonly copiesOf: (id: string) => readonly (Buffer | undefined)[];
      /** Names, without the group. */
      readonly deletions: ReadonlySet<string>;
    },
  ): void {
    for (const file of this.files) {
      if (file.group !== group) continue;
      file.metadata = [...file.metadataHistory];
      if (this.#isKnown(file, left)) continue;
      this.count("known to a lost disk alone");
      file.existence = "unknown";
      file.possible = [...file.history];
      file.settled = true;
    }
  }

  #isKnown(
    { id, group, existence, possible }: KnownFile,
    { copiesOf, deletions }: Parameters<Manifest["diskLost"]>[1],
  ): boolean {
    if (existence === "deleted") return deletions.has(id.slice(group.length + 1));
    const newest = possible.at(-1);
    return copiesOf(id).some((copy) => copy !== undefined && newest?.equals(copy) === true);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  violation(text: string): void {
    this.#world.note(`VIOLATION: ${text}`);
    this.violations.push(text);
  }
}

/** The file has this content from now on. */
export function changed(file: KnownFile, content: Buffer): void {
  file.possible = [content];
  file.history.push(content);
}

/** The file has this content, or what it had. */
export function maybeChanged(file: KnownFile, content: Buffer): void {
  file.possible = [...file.possible, content];
  file.history.push(content);
  file.settled = true;
}

/** For messages. */
export function describeContent(content: Uint8Array): string {
  return `${content.length} bytes ${Buffer.from(content.subarray(0, 8)).toString("hex")}…`;
}
