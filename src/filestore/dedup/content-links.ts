/**
 * Stores content that is here already as a further name of the file that holds it. The file system counts the names, so that the
 * content goes with the last of them, whatever a crash interrupts. What the index says is never taken on trust: the file must be
 * there, with the size and the CRC-32 in its name, and a file that may have lost its content in a power cut is read. Where a further
 * name cannot be had, for whatever reason, the answer is no, and the content is stored again. Worker thread.
 */
import { hash as hashOf } from "node:crypto";
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import {
  allDirectories,
  type ContentHolders,
  ContentIndex,
} from "#filestore/dedup/content-index.ts";
import { contentOf, walkContents } from "#filestore/dedup/content-walk.ts";
import { maxWalkRestMs, minWalkRestMs, walkRestFactor } from "#filestore/dedup/limits.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { type FileLayout, type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { directoryName } from "#model/remote-filename.ts";
import type { Clock } from "#platform/clock.ts";
import type { Databases } from "#platform/databases.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface Content {
  /** SHA-256. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
  readonly crc32: number;
}

/** Name of a file that holds a content, as `HH/HH/base`. */
export type ContentHolder = string;

export interface ContentLinksParts {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly clock: Clock;
  readonly log: Log;
  /** Files with a change under way, see `StorePath.locks`. */
  readonly locks: ReadonlySet<string>;
}

/** Over the index in `layout.own`. Undefined where no database can be had. */
export function openContentLinks(
  parts: ContentLinksParts,
  databases: (() => Databases) | undefined,
): ContentLinks | undefined {
  if (databases === undefined) return undefined;
  try {
    const index = new ContentIndex({
      ...parts,
      databases: databases(),
      directory: parts.layout.own,
    });
    index.open();
    return new ContentLinks(parts, index);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    parts.log.error("content-index-unusable", { doing: "load", why: describeError(error) });
    return undefined;
  }
}

const namePattern = /^([0-9A-F]{2})\/([0-9A-F]{2})\/([^/\0]+)$/;

export class ContentLinks implements BackgroundWork {
  readonly #parts: ContentLinksParts;
  readonly #index: ContentIndex;
  #walk: Generator<void, void> | undefined;
  #walkDueMs = 0;
  /** Reasons for which links were refused, said once each. */
  readonly #refusals = new Set<string>();

  constructor(parts: ContentLinksParts, index: ContentIndex) {
    this.#parts = parts;
    this.#index = index;
  }

  /** Makes `path`, where nothing may be, a name of the content. Returns who holds it; undefined where it must be stored. */
  link(content: Content, path: string): ContentHolder | undefined {
    return this.#holder(content, (existing) => this.#tryLink(existing, path));
  }

  /** True where a file holds the content here, as far as one can see. */
  has(content: Content): boolean {
    return this.#holder(content, () => true) !== undefined;
  }

  /** `place` holds the content, or will in a moment; `linked` is what `link` answered. */
  note(content: Content, place: FilePlace, linked: ContentHolder | undefined): void {
    const timestamp = contentOf(place.base)?.timestamp;
    if (timestamp === undefined) return;
    this.#index.note(content.hash, { name: nameOf(place), former: linked ?? "" }, timestamp);
  }

  /** A flush failed: files that were stored by this run are not linked to any more. */
  distrust(): void {
    this.#index.distrust();
  }

  /** Writes what has been noted; goes a step further through the files that are not in the index yet. */
  step(): number | undefined {
    if (this.#index.dueMs === 0) this.#index.write();
    const walkMs = this.#stepWalk();
    const writeMs = this.#index.dueMs;
    if (walkMs === undefined || writeMs === undefined) return walkMs ?? writeMs;
    return Math.min(walkMs, writeMs);
  }

  #stepWalk(): number | undefined {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (this.#index.nextDirectory < allDirectories && nowMs >= this.#walkDueMs) {
      this.#walk ??= walkContents({
        ...this.#parts,
        index: this.#index,
        has: (content) => this.has(content),
      });
      this.#walk.next();
      const endMs = clock.monotonicMs();
      const rest = (endMs - nowMs) * walkRestFactor;
      this.#walkDueMs = endMs + Math.min(maxWalkRestMs, Math.max(minWalkRestMs, rest));
    }
    if (this.#index.nextDirectory < allDirectories) return Math.max(0, this.#walkDueMs - nowMs);
    if (this.#walk !== undefined) log.notice("content-index-complete", {});
    this.#walk = undefined;
    return undefined;
  }

  close(): void {
    this.#walk?.return();
    this.#index.close();
  }

  /** The first file that holds the content and which `use` takes. */
  #holder(content: Content, use: (path: string) => boolean): ContentHolder | undefined {
    const holders = this.#index.find(content.hash);
    if (holders === undefined) return undefined;
    for (const name of [holders.name, holders.former]) {
      const path = name === "" ? undefined : this.#present(name, content, holders);
      if (path !== undefined && use(path)) return name;
    }
    return undefined;
  }

  /** Where the file lies if it is what the index says. */
  #present(name: string, content: Content, holders: ContentHolders): string | undefined {
    const [, high = "", low = "", base = ""] = namePattern.exec(name) ?? [];
    const said = contentOf(base);
    if (said?.size !== content.sizeBytes || said.crc32 !== content.crc32) return undefined;
    const { layout } = this.#parts;
    const place = layout.placeOf({
      high: Number.parseInt(high, 16),
      low: Number.parseInt(low, 16),
      base,
    });
    const path = this.#pathOf(place, content.sizeBytes);
    if (path === undefined) return undefined;
    const doubtful = this.#index.isUnsettled(holders, said.timestamp);
    return doubtful && !this.#holds(path, content) ? undefined : path;
  }

  /** A file whose commit is under way lies among the staged ones: its content is whole there. */
  #pathOf(place: FilePlace, sizeBytes: number): string | undefined {
    const { layout, locks } = this.#parts;
    if (this.#isWhole(place.path, sizeBytes)) return place.path;
    if (!locks.has(lockKey(place.name))) return undefined;
    const staged = `${layout.tmp}/${formatNew(place)}`;
    return this.#isWhole(staged, sizeBytes) ? staged : undefined;
  }

  #isWhole(path: string, sizeBytes: number): boolean {
    const stat = this.#quietly(() => this.#parts.files.stat(path, false));
    return stat?.kind === "file" && stat.sizeBytes === sizeBytes;
  }

  /** Reads small files only: it happens while an upload waits. */
  #holds(path: string, content: Content): boolean {
    if (content.sizeBytes > stepBytes) return false;
    const { files } = this.#parts;
    return (
      this.#quietly(() => {
        const descriptor = files.open(path, "read");
        try {
          const bytes = Buffer.allocUnsafe(content.sizeBytes);
          if (files.read(descriptor, bytes, 0) < bytes.length) return false;
          return hashOf("sha256", bytes, "buffer").equals(content.hash);
        } finally {
          files.close(descriptor);
        }
      }) ?? false
    );
  }

  #tryLink(existing: string, path: string): boolean {
    try {
      this.#parts.files.makeHardLink(path, existing);
      return true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#noteRefusal(error);
      return false;
    }
  }

  #noteRefusal(error: FileError): void {
    if (this.#refusals.has(error.code)) return;
    this.#refusals.add(error.code);
    this.#parts.log.notice("content-stored-again", { why: error.message });
  }

  /** What cannot be looked at is not there. */
  #quietly<Result>(look: () => Result): Result | undefined {
    try {
      return look();
    } catch (error) {
      if (error instanceof FileError) return undefined;
      throw error;
    }
  }
}

function nameOf(place: FilePlace): string {
  return `${directoryName(place.high)}/${directoryName(place.low)}/${place.base}`;
}
