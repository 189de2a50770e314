/** The index of a store path's contents over a real directory, and files as an engine would leave them there. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { Log, type LogRecord } from "#base/log.ts";
import { ContentIndex } from "#filestore/dedup/content-index.ts";
import { type Content, ContentLinks } from "#filestore/dedup/content-links.ts";
import { FileLayout, type FilePlace } from "#filestore/worker/file-layout.ts";
import { makeBase, makeTail } from "#model/file-base.ts";
import type { Database, Databases } from "#platform/databases.ts";
import type { Files } from "#platform/files.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { ManualClock } from "./manual-clock.ts";

export interface ContentStage extends Disposable {
  readonly directory: string;
  readonly layout: FileLayout;
  readonly clock: ManualClock;
  readonly locks: Set<string>;
  readonly records: LogRecord[];
  /** A new run: the index is opened again. */
  open(how?: { readonly files?: Files; readonly databases?: Databases }): OpenContents;
  /** Writes a file as an upload at `seconds` would, and tells where it is. */
  store(content: string, how?: { readonly seconds?: number; readonly low?: number }): FilePlace;
}

export interface OpenContents {
  readonly index: ContentIndex;
  readonly links: ContentLinks;
  /** Until nothing is left to do in the background. */
  settle(): void;
}

export function contentStage(): ContentStage {
  const directory = mkdtempSync(join(tmpdir(), "cairn-contents-"));
  const layout = new FileLayout(directory, 0);
  mkdirSync(layout.tmp, { recursive: true });
  const clock = new ManualClock();
  const locks = new Set<string>();
  const records: LogRecord[] = [];
  const log = new Log("contents", (record) => records.push(record));
  let counter = 0;
  return {
    directory,
    layout,
    clock,
    locks,
    records,
    open({ files = new NodeFiles(), databases = nodeDatabases() } = {}) {
      const index = new ContentIndex({ databases, files, clock, log, directory: layout.own });
      index.open();
      const links = new ContentLinks({ files, layout, clock, log, locks }, index);
      return { index, links, settle: () => settle(links, clock) };
    },
    store(content, { seconds = 1_700_000_000, low = 0 } = {}) {
      counter += 1;
      const place = layout.placeOf({ high: 0, low, base: baseFor(content, seconds, counter) });
      mkdirSync(dirname(place.path), { recursive: true });
      writeFileSync(place.path, content);
      return place;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export function contentFor(text: string | Uint8Array): Content {
  const bytes = Buffer.from(text as string);
  const hash = createHash("sha256").update(bytes).digest();
  return { hash, sizeBytes: bytes.length, crc32: crc32(bytes) };
}

export interface Trouble {
  readonly code: string;
  /** Calls that are going to fail. */
  times: number;
}

/** Databases of which calls fail as the system's would. */
export function failingDatabases(trouble: Trouble): Databases {
  const inner = nodeDatabases();
  const around = (database: Database): Database => ({
    prepare: (sql) => database.prepare(sql),
    execute: (sql) => database.execute(sql),
    transaction(durability, work) {
      check();
      return database.transaction(durability, work);
    },
    serialize: () => database.serialize(),
    get changes() {
      return database.changes;
    },
    get version() {
      return database.version;
    },
    set version(number) {
      database.version = number;
    },
    close: () => database.close(),
    [Symbol.dispose]: () => database.close(),
  });
  const check = (): void => {
    if (trouble.times === 0) return;
    trouble.times -= 1;
    throw Object.assign(new Error("the disk says no"), { code: trouble.code });
  };
  return {
    open(path) {
      check();
      return around(inner.open(path));
    },
  };
}

function settle(links: ContentLinks, clock: ManualClock): void {
  for (let turns = 0; turns < 100_000; turns += 1) {
    const after = links.step();
    if (after === undefined) return;
    clock.advance(after);
  }
  throw new Error("the background work does not end");
}

function baseFor(content: string, timestamp: number, counter: number): string {
  return makeBase({
    source: { kind: "address", address: "10.9.0.2" },
    kind: "normal",
    timestamp,
    size: Buffer.byteLength(content),
    crc32: crc32(content),
    randomBits: counter,
    tail: makeTail("txt", counter),
  });
}
