/**
 * The passport that each disk carries: who it is, whose, and which store paths lie on it. Found by its place on the disk,
 * believed by checksum and signature, never by the name of a device. Pure codec.
 *
 * Form: a JSON object in its canonical form and a line feed. `signature` is the owner's, over all fields but `signature` and `crc32`;
 * `crc32` is over all but itself. Whole numbers only. Two copies lie on the disk, the copy is written after the first, the higher
 * `revision` counts. A newer release may add fields to the object itself: they are signed, kept and passed on by an older one; where
 * an older one must not read it at all, `readableFrom` says so. Copies of the node's state lie beside it under names of their own.
 */
import { crc32 } from "node:zlib";
import { AppError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseCanonicalValue,
} from "#base/canonical-json.ts";
import { isSignedBy, type Signer } from "#base/ed25519.ts";
import { fail, needHex, needList, needNumber, needText } from "#disks/passport-fields.ts";
import { DiskId, isDiskId } from "#model/disk-id.ts";
import { GroupName, isGroupName } from "#model/group-name.ts";
import { type NodeId, nodeIdOf } from "#model/node-id.ts";

/** Below the mount point of a disk. */
export const passportDirectory = ".cairn-disk";
export const passportFilenames = ["passport.json", "passport.copy.json"] as const;

const version = 1;
export const passportLimits = {
  textBytes: 64 * 1024,
  paths: 16,
  history: 64,
  nameLength: 64,
  wordsLength: 120,
  directoryLength: 120,
  storePathIndex: 255,
} as const;

export interface PassportOwner {
  readonly id: NodeId;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** For people. */
  readonly name: string;
}

/** A store path on the disk. */
export interface PassportPath {
  /** Of the file ids: M00 is 0. */
  readonly index: number;
  /** As in `.cairn/path`; undefined before it was opened for the first time. */
  readonly id: string | undefined;
  /** Relative to the mount point, such as `store/M00`. */
  readonly directory: string;
  /** How often it came from another disk; left out where it never did. Of two disks that carry the same path, the higher one has it. */
  readonly moves?: number;
}

export interface PassportEvent {
  /** Seconds since 1970, by the clock of the node. */
  readonly at: number;
  /** `given`, `adopted`, `path added`, … */
  readonly what: string;
  readonly node: NodeId;
}

export interface Passport {
  readonly diskId: DiskId;
  /** One more at each change. */
  readonly revision: number;
  readonly node: PassportOwner;
  readonly group: GroupName;
  /** Ordered by index. */
  readonly paths: readonly PassportPath[];
  /** Newest last; the oldest ones are dropped. */
  readonly history: readonly PassportEvent[];
  /** What a newer release has written beside. */
  readonly rest: JsonObject;
}

const ownFields = [
  ...["version", "readableFrom", "diskId", "revision", "node", "group", "paths", "moves"],
  ...["history", "signature", "crc32"],
];

/** Signs with the key of the owner, whose `publicKey` the passport has. */
export function formatPassport(passport: Passport, signer: Signer): string {
  const { diskId, revision, node, group, paths, history, rest } = passport;
  const fields: JsonObject = {
    ...rest,
    version: Math.max(version, typeof rest.version === "number" ? rest.version : 0),
    readableFrom: version,
    diskId,
    revision,
    node: { id: node.id, publicKey: hex(node.publicKey), name: node.name },
    group,
    paths: paths.map(({ index, id, directory }) => ({ index, id: id ?? null, directory })),
    ...movesField(paths),
    history: history.slice(-passportLimits.history).map(({ at, what, node }) => ({
      at,
      what,
      node,
    })),
  };
  const signature = hex(signer.sign(Buffer.from(canonicalJson(fields))));
  const signed = { ...fields, signature };
  const text = `${canonicalJson({ ...signed, crc32: crc32(canonicalJson(signed)) })}\n`;
  assert(text.length <= passportLimits.textBytes, "a passport that nobody would read");
  return text;
}

/**
 * Throws `AppError`: `passport-damaged` (the other copy may be whole), `passport-too-new` (a newer release wrote it for newer ones),
 * `passport-forged` (whole, but not by the node that it names).
 */
export function parsePassport(text: string): Passport {
  if (text.length > passportLimits.textBytes) throw fail("is too long");
  const value = parseCanonicalValue(text);
  if (!isJsonObject(value)) throw fail("is no JSON object of whole numbers");
  const { crc32: sum, ...signed } = value;
  if (sum !== crc32(canonicalJson(signed))) throw fail("has another checksum than its content");
  const readableFrom = needNumber(signed, "readableFrom", { from: 1, to: 2 ** 31 });
  if (readableFrom > version) {
    throw new AppError(
      "passport-too-new",
      `the disk's passport was written by a newer release of Cairn (version ${readableFrom}): update this node`,
    );
  }
  const passport = fieldsOf(signed);
  requireSignature(passport, signed);
  return passport;
}

/** The better one of the two copies, as texts; undefined where neither is there. Throws as `parsePassport` where none can be read. */
export function choosePassport(texts: readonly (string | undefined)[]): Passport | undefined {
  let best: Passport | undefined;
  let problem: unknown;
  for (const text of texts) {
    if (text === undefined) continue;
    try {
      const passport = parsePassport(text);
      if (best === undefined || passport.revision > best.revision) best = passport;
    } catch (error) {
      problem ??= error;
    }
  }
  if (best === undefined && problem !== undefined) throw problem;
  return best;
}

function fieldsOf(value: JsonObject): Passport {
  const { nameLength, storePathIndex, paths, history } = passportLimits;
  const diskId = needText(value, "diskId", { max: 32 });
  const group = needText(value, "group", { max: 16 });
  const node = value.node;
  if (!isDiskId(diskId) || !isGroupName(group) || !isJsonObject(node)) {
    throw fail("names no disk, group or node");
  }
  const publicKey = needHex(node, "publicKey", 32);
  const id = nodeIdOf(publicKey);
  if (needText(node, "id", { max: 16 }) !== id) throw forged("its id is not that of its key");
  const rest = Object.entries(value).filter(
    ([key]) => !ownFields.includes(key) || (key === "version" && Number(value[key]) > version),
  );
  const moves = movesOf(value);
  return {
    diskId: DiskId(diskId),
    revision: needNumber(value, "revision", { from: 0, to: 2 ** 48 }),
    node: { id, publicKey, name: needText(node, "name", { max: nameLength }) },
    group: GroupName(group),
    paths: distinct(
      needList(value, "paths", paths).map((each) => {
        const path = pathOf(each, storePathIndex);
        const moved = moves.get(path.index) ?? 0;
        return moved === 0 ? path : { ...path, moves: moved };
      }),
    ),
    history: needList(value, "history", history).map(eventOf),
    rest: Object.fromEntries(rest),
  };
}

function pathOf(value: JsonValue, maxIndex: number): PassportPath {
  if (!isJsonObject(value)) throw fail("has a store path that is no object");
  const directory = needText(value, "directory", { max: passportLimits.directoryLength });
  if (!isInnerDirectory(directory)) throw fail("has a store path outside of the disk");
  return {
    index: needNumber(value, "index", { from: 0, to: maxIndex }),
    id: value.id === null ? undefined : hex(needHex(value, "id", 16)),
    directory,
  };
}

/** Beside the paths and not in them: a release that knows nothing of it passes it on. */
function movesField(paths: readonly PassportPath[]): JsonObject {
  const moved = paths.flatMap(({ index, moves = 0 }) => (moves > 0 ? [{ index, moves }] : []));
  return moved.length === 0 ? {} : { moves: moved };
}

function movesOf(value: JsonObject): ReadonlyMap<number, number> {
  if (value.moves === undefined) return new Map();
  const { paths, storePathIndex } = passportLimits;
  return new Map(
    needList(value, "moves", paths).map((each) => {
      if (!isJsonObject(each)) throw fail("has moves that are no object");
      const index = needNumber(each, "index", { from: 0, to: storePathIndex });
      return [index, needNumber(each, "moves", { from: 0, to: 2 ** 31 })];
    }),
  );
}

function eventOf(value: JsonValue): PassportEvent {
  if (!isJsonObject(value)) throw fail("has an event that is no object");
  return {
    at: needNumber(value, "at", { from: 0, to: 2 ** 48 }),
    what: needText(value, "what", { max: passportLimits.wordsLength }),
    node: hex(needHex(value, "node", 8)) as NodeId,
  };
}

function distinct(paths: readonly PassportPath[]): readonly PassportPath[] {
  const indexes = new Set(paths.map(({ index }) => index));
  const directories = new Set(paths.map(({ directory }) => directory));
  if (indexes.size < paths.length || directories.size < paths.length) {
    throw fail("has a store path twice");
  }
  return [...paths].sort((one, other) => one.index - other.index);
}

/** A relative path of plain names, none of which is `..` or hidden. */
export function isInnerDirectory(text: string): boolean {
  return text.split("/").every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part));
}

function requireSignature(passport: Passport, signed: JsonObject): void {
  const { signature, ...fields } = signed;
  const bytes = needHex({ signature: signature ?? null }, "signature", 64);
  const text = Buffer.from(canonicalJson(fields));
  if (!isSignedBy(passport.node.publicKey, text, bytes)) {
    throw forged("its signature is not that of the node which it names");
  }
}

function forged(why: string): AppError {
  return new AppError(
    "passport-forged",
    `the disk's passport is not genuine: ${why}; give the disk to this node anew, or read its files elsewhere`,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
