/**
 * The files of a store path that no node serves, one after the other, in an order in which whoever was interrupted goes on: packed files
 * first, then directory by directory, masters before their slaves and metadata. Reads names, sizes and headers, no contents; writes nothing.
 * Synchronous, in a process of its own.
 */
import { BinlogReader } from "#filestore/binlog/binlog-reader.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import { slotKey } from "#filestore/inventory/inventory-entry.ts";
import { dataOf } from "#filestore/scrub/data-directory.ts";
import { SlotRegister } from "#filestore/scrub/slot-register.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import { isMetadataBase, ownerOfMetadata } from "#filestore/worker/file-layout.ts";
import { mayBeSlave } from "#filestore/worker/recheck/judge-file.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { slotHeaders } from "#filestore/worker/slot-headers.ts";
import { maxExtensionLength, maxPrefixLength, tailOf } from "#model/file-base.ts";
import {
  decodeBase,
  encodedLength,
  encodedSlotLength,
  normalBaseLength,
  tailLength,
} from "#model/file-id.ts";
import { directoryName } from "#model/remote-filename.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError, type Files } from "#platform/files.ts";

/** Where the bytes of a file lie. */
export interface ForeignContent {
  readonly path: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

interface ForeignHead {
  /** What it is known by on this store path: `HH/HH/base`, and `HH/HH/base@offset` of a packed file whose name nobody has. */
  readonly key: string;
  readonly content: ForeignContent;
}

export interface ForeignMaster extends ForeignHead {
  readonly kind: "normal" | "appender";
  /** Undefined where nothing tells. */
  readonly crc32: number | undefined;
  readonly extension: string;
  /** Of a packed file, what its slaves and metadata know it by. */
  readonly slot: string | undefined;
}

export interface ForeignSlave extends ForeignHead {
  readonly kind: "slave";
  readonly master: string;
  readonly prefix: string;
  readonly extension: string;
}

export interface ForeignMetadata extends ForeignHead {
  readonly kind: "metadata";
  readonly owner: string;
}

export type ForeignFile = ForeignMaster | ForeignSlave | ForeignMetadata;

export type ForeignStep =
  | { readonly kind: "file"; readonly file: ForeignFile }
  /** It is named, and not to be had. */
  | { readonly kind: "left"; readonly key: string; readonly why: string }
  /** The disk does not give it now: whoever comes again may have it. */
  | { readonly kind: "unread"; readonly key: string; readonly why: string }
  /** All of that part was told: a trunk file, or a directory `HH/HH`. */
  | { readonly kind: "part"; readonly part: string };

export interface ForeignPath {
  /** A store path, or the directory `data` of one. */
  readonly directory: string;
  /** As names have it. Whatever calls itself something else in the binlog is another path's. */
  readonly index: number;
  /** Such as `foreignDiskFiles`: a link is told as one, and not followed. */
  readonly files: Files;
}

const trunkPattern = /^\d{6,10}$/;
/** Slots have 32 bits for their place: what is behind them has no name, however long the file says it is. */
const maxTrunkBytes = 2 ** 32;
/** Where links lead on the server that they were made on. */
const linkedPattern = /(?:^|\/)data\/([0-9A-F]{2}\/[0-9A-F]{2}\/[^/]+)$/;
/** What a line of a list can hold. */
const plainPattern = /^[\x21-\x7e]+$/;

/** Parts in `done` are passed over. Throws `store-path-unfit` where there is no store path, and `FileError`. */
export function* foreignFiles(
  foreign: ForeignPath,
  done: ReadonlySet<string> = new Set(),
): Generator<ForeignStep, void> {
  const data = dataOf(foreign.files, foreign.directory);
  const leaves: string[] = [];
  for (const high of directoryNumbers(foreign.files, data)) {
    const name = directoryName(high);
    const lows = yield* tried(name, () => directoryNumbers(foreign.files, `${data}/${name}`));
    for (const low of lows ?? []) leaves.push(`${name}/${directoryName(low)}`);
  }
  const names = packedNames(foreign, data);
  const walk = new Walk(foreign, data, names);
  const failed = new Set<string>();
  for (const leaf of leaves) {
    const bases = yield* tried(leaf, () => walk.list(leaf));
    if (bases === undefined) failed.add(leaf);
    for (const base of bases ?? []) {
      if (trunkPattern.test(base)) yield* walk.trunkFile(`${leaf}/${base}`, done);
    }
  }
  for (const leaf of leaves) {
    if (done.has(leaf) || failed.has(leaf)) continue;
    yield* walk.directory(leaf);
    yield { kind: "part", part: leaf };
  }
}

/** Undefined, and told, where the disk does not give it. Throws where it is not there at all any more. */
function* tried<T>(key: string, act: () => T): Generator<ForeignStep, T | undefined> {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FileError) || error.code === "ENOENT") throw error;
    yield { kind: "unread", key, why: `the disk does not give it (${error.code})` };
    return undefined;
  }
}

/** What the binlog has, if there is one that can be read: without it packed files have no names. */
function packedNames({ files, index }: ForeignPath, data: string): SlotRegister {
  const register = new SlotRegister();
  const directory = `${data}/sync`;
  const own = `M${directoryName(index)}/`;
  try {
    const reader = new BinlogReader({ files, directory, scratch: directory }, binlogStart);
    try {
      for (;;) {
        const chunk = reader.read();
        if (chunk.records.length === 0 && chunk.invalid.length === 0) break;
        for (const { entry } of chunk.records) {
          if (entry.name.startsWith(own)) register.follow(entry);
        }
      }
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
  return register;
}

class Walk {
  readonly #foreign: ForeignPath;
  readonly #data: string;
  readonly #names: SlotRegister;

  constructor(foreign: ForeignPath, data: string, names: SlotRegister) {
    this.#foreign = foreign;
    this.#data = data;
    this.#names = names;
  }

  list(leaf: string): readonly string[] {
    const path = `${this.#data}/${leaf}`;
    const names = this.#foreign.files.list(path);
    // An empty place where a disk was a moment ago is no empty directory.
    if (names === undefined) throw new FileError("ENOENT", `${path} has gone`, path);
    return names.sort();
  }

  *trunkFile(place: string, done: ReadonlySet<string>): Generator<ForeignStep, void> {
    if (done.has(place)) return;
    const { files } = this.#foreign;
    const path = `${this.#data}/${place}`;
    const fileId = Number(place.slice(place.lastIndexOf("/") + 1));
    const descriptor = yield* tried(place, () => files.open(path, "read"));
    if (descriptor === undefined) return;
    try {
      const sizeBytes = Math.min(files.statDescriptor(descriptor).sizeBytes, maxTrunkBytes);
      for (const entry of slotHeaders({ files, descriptor, fileId, sizeBytes }, 0)) {
        if (entry === undefined) continue;
        const named = this.#nameOf(slotKey(fileId, entry.offset), entry.tail);
        const key = named ?? `${place}@${entry.offset}`;
        if (entry.content === "link") {
          yield { kind: "left", key, why: "it is a link to another file" };
          continue;
        }
        const content = {
          path,
          offset: entry.offset + trunkHeaderSize,
          sizeBytes: entry.sizeBytes,
        };
        const extension = extensionOf(entry.tail);
        const about = { key, content, crc32: entry.crc32, extension };
        const slot = slotKey(fileId, entry.offset);
        yield { kind: "file", file: { kind: "normal", ...about, slot } };
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const why = `the disk does not give all of it (${error.code})`;
      yield { kind: "unread", key: place, why };
    } finally {
      files.close(descriptor);
    }
    yield { kind: "part", part: place };
  }

  *directory(leaf: string): Generator<ForeignStep, void> {
    const names = yield* tried(leaf, () => this.list(leaf));
    const later: ForeignStep[] = [];
    for (const base of names ?? []) {
      if (trunkPattern.test(base)) continue;
      const step = yield* tried(`${leaf}/${base}`, () => this.#look(leaf, base, names ?? []));
      if (step === undefined) continue;
      const isLater =
        step.kind === "file" && (step.file.kind === "slave" || step.file.kind === "metadata");
      if (isLater) later.push(step);
      else yield step;
    }
    yield* later;
  }

  /** Undefined for what is none of FastDFS's. */
  #look(leaf: string, base: string, names: readonly string[]): ForeignStep | undefined {
    const isMetadata = isMetadataBase(base);
    const decoded = decodeBase(isMetadata ? ownerOfMetadata(base) : base);
    if (decoded === undefined) return undefined;
    const key = `${leaf}/${base}`;
    if (!plainPattern.test(base)) {
      const shown = `${leaf}/${encodeURIComponent(base)}`;
      return { kind: "left", key: shown, why: "its name has characters that no file id has" };
    }
    const found = this.#fileAt(`${this.#data}/${key}`);
    if (found === undefined) {
      return { kind: "left", key, why: "it is no file, or a link to none of this store path" };
    }
    const { path, sizeBytes } = found;
    const head = { key, content: { path, offset: 0, sizeBytes } };
    if (isMetadata) {
      const owner = this.#masterKey(leaf, ownerOfMetadata(base)) ?? "";
      return { kind: "file", file: { kind: "metadata", ...head, owner } };
    }
    const told = toldBy(base);
    const { extension, crc32, isAppender } = decoded;
    if (told !== undefined && (told.size === sizeBytes || !mayBeSlave(names, base))) {
      if (told.size !== sizeBytes) {
        return {
          kind: "left",
          key,
          why: `it has ${sizeBytes} bytes, and its name says ${told.size}`,
        };
      }
      return { kind: "file", file: { kind: "normal", ...head, crc32, extension, slot: undefined } };
    }
    if (isAppender && base.length === normalBaseLength) {
      const about = { crc32: undefined, extension, slot: undefined };
      return { kind: "file", file: { kind: "appender", ...head, ...about } };
    }
    return this.#slave(leaf, base, { names, head });
  }

  /** FastDFS makes links of files with the same content, by the whole path on the server that they were made on. */
  #fileAt(path: string): { readonly path: string; readonly sizeBytes: number } | undefined {
    const { files } = this.#foreign;
    const stat = files.stat(path, false);
    if (stat?.kind === "file") return { path, sizeBytes: stat.sizeBytes };
    const place = stat?.kind === "link" ? linkedPattern.exec(files.readLink(path))?.[1] : undefined;
    if (place === undefined) return undefined;
    const target = `${this.#data}/${place}`;
    const linked = files.stat(target, false);
    return linked?.kind === "file" ? { path: target, sizeBytes: linked.sizeBytes } : undefined;
  }

  #slave(
    leaf: string,
    base: string,
    { names, head }: { readonly names: readonly string[]; readonly head: ForeignHead },
  ): ForeignStep {
    const { key } = head;
    const packed = slotOfSlave(base);
    const found =
      packed === undefined
        ? names.find((name) => name !== base && isMasterName(name) && base.startsWith(stemOf(name)))
        : undefined;
    const isOrphan = packed === undefined && found === undefined;
    if (isOrphan) return { kind: "left", key, why: "it is named after a file that is not there" };
    const rest =
      found === undefined ? base.slice(packed?.length) : base.slice(stemOf(found).length);
    const dot = rest.lastIndexOf(".");
    const prefix = dot < 0 ? rest : rest.slice(0, dot);
    const extension = dot < 0 ? "" : rest.slice(dot + 1);
    if (prefix === "" || prefix.length > maxPrefixLength || extension.length > maxExtensionLength) {
      return { kind: "left", key, why: "nobody can tell the end of its name from its master's" };
    }
    const master = found === undefined ? (packed?.slot ?? "") : `${leaf}/${found}`;
    return { kind: "file", file: { kind: "slave", ...head, master, prefix, extension } };
  }

  /** What the owner of metadata is known by. */
  #masterKey(leaf: string, base: string): string | undefined {
    const packed = slotOfSlave(base);
    const isItself = packed !== undefined && base.length === packed.stemLength + tailLength;
    return isItself ? packed.slot : `${leaf}/${base}`;
  }

  #nameOf(key: string, tail: string): string | undefined {
    const name = this.#names.nameOf(key);
    return name === undefined || tailOf(name) !== tail ? undefined : name.slice(4);
  }
}

function isMasterName(name: string): boolean {
  const decoded = decodeBase(name);
  return decoded !== undefined && name.length === normalBaseLength && !decoded.isSlave;
}

/** What slaves keep of the name of their master. */
function stemOf(base: string): string {
  const dot = base.indexOf(".", base.length - tailLength);
  return dot < 0 ? base : base.slice(0, dot);
}

/** Of a name that begins as a packed file's: its slot, and how long the master's part of it is at least. */
function slotOfSlave(
  base: string,
): { readonly slot: string; readonly length: number; readonly stemLength: number } | undefined {
  const stemLength = encodedLength + encodedSlotLength;
  if (base.length <= stemLength) return undefined;
  const trunk = decodeBase(`${base.slice(0, stemLength)}0000000`)?.trunk;
  if (trunk === undefined) return undefined;
  // The master's random digits come next; how many there are depends on its extension.
  const digits = /^\d{0,7}/.exec(base.slice(stemLength))?.[0].length ?? 0;
  return { slot: slotKey(trunk.fileId, trunk.offset), length: stemLength + digits, stemLength };
}

function extensionOf(tail: string): string {
  const dot = tail.indexOf(".");
  return dot < 0 ? "" : tail.slice(dot + 1);
}

/** By what slaves and metadata of a packed file know it: from its key; undefined of other files. */
export function slotOfKey(key: string): string | undefined {
  const [, fileId, offset] = /\/(\d{6,10})@(\d+)$/.exec(key) ?? [];
  if (fileId !== undefined) return slotKey(Number(fileId), Number(offset));
  const trunk = decodeBase(key.slice(key.lastIndexOf("/") + 1))?.trunk;
  return trunk === undefined ? undefined : slotKey(trunk.fileId, trunk.offset);
}
