/**
 * Goal: nothing that arrives from the network can do more than be refused. Method: random bytes, and vectors cut off, changed in
 * single bits or with numbers replaced by extreme ones, go into every decoder in both address widths and in older releases; only
 * `ProtocolError` may come out, and no decoder may take long or build more than its input can hold. The decoders of texts get
 * the same treatment.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase, splitFileId } from "#model/file-id.ts";
import { mergeMetadata, normalizeMetadata, parseMetadata } from "#model/file-metadata.ts";
import { formatRemoteFilename, parseRemoteFilename } from "#model/remote-filename.ts";
import { formatStorageIdLine, parseStorageIdLine } from "#model/storage-id-line.ts";
import { type WireContext, WireReader } from "#protocol/codec.ts";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { headerSize } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { readVectorFiles } from "../support/wire-vector-files.ts";

/** Far above what a decoder takes even while the machine is busy, below what a loop to 2^31 would. */
const slowestMs = 2000;
const releases = [undefined, 61300, 61200, 61000, 50300];
const contexts = ([16, 46] as const).flatMap((addressWidth) =>
  releases.map((release): WireContext => {
    const base = { addressWidth, requestStatus: 17 };
    return release === undefined ? base : { ...base, release };
  }),
);
const context = fc.constantFrom(...contexts);
const messages = new Map(Object.entries(allMessages) as [string, AnyMessage][]);
const message = fc.constantFrom(...messages.values());
const side = fc.constantFrom("request" as const, "reply" as const);
const feeding = fc.record({ side, context });
const usual: WireContext = { addressWidth: 16 };

const bodies = readVectorFiles().flatMap((file) =>
  file.vectors.flatMap(({ request, reply }) =>
    [request, reply].flatMap((frame, at) => {
      const bytes = Buffer.from(frame?.frame ?? "", "hex").subarray(headerSize);
      const name = at === 0 ? ("request" as const) : ("reply" as const);
      return bytes.length === 0 ? [] : [{ name: file.name, side: name, bytes }];
    }),
  ),
);
const vectorBody = fc.constantFrom(...bodies);

interface Feeding {
  readonly side: "request" | "reply";
  readonly context: WireContext;
}

/** Decodes, and counts the values that came out: strings and bytes by their length. */
function feed(target: AnyMessage, how: Feeding, bytes: Buffer): void {
  const { side: which, context: wireContext } = how;
  const before = performance.now();
  try {
    const reader = new WireReader(bytes);
    const value: unknown = target[which].decode(reader, wireContext);
    expect(reader.remaining).toBeGreaterThanOrEqual(0);
    // A number of eight bytes or a text can become a few values, such as fields that an old layout lacks.
    expect(weight(value)).toBeLessThan(64 + 4 * bytes.length);
    if (target.stream === "request" && which === "request") {
      expect(target.payloadSize?.(value)).toBeGreaterThanOrEqual(0);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  expect(performance.now() - before).toBeLessThan(slowestMs);
}

function weight(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, item) => sum + weight(item), 1);
}

test("random bytes are decoded or refused", () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  const property = fc.property(message, bytes, feeding, (target, input, how) => {
    feed(target, how, Buffer.from(input));
  });
  fc.assert(property, { numRuns: 20 * (fc.readConfigureGlobal().numRuns ?? 100) });
});

test("every vector may be cut off anywhere", () => {
  for (const { name, side: which, bytes } of bodies) {
    const target = messages.get(name) as AnyMessage;
    const step = Math.max(1, Math.floor(bytes.length / 64));
    for (let end = 0; end < bytes.length; end += step) {
      feed(target, { side: which, context: usual }, bytes.subarray(0, end));
    }
  }
});

test("bits of vectors may flip, and numbers in them become extreme", () => {
  const extremes = ["ffffffffffffffff", "7fffffffffffffff", "8000000000000000", "000000007fffffff"];
  const change = fc.record({
    at: fc.nat(),
    bit: fc.nat(7),
    extreme: fc.option(fc.constantFrom(...extremes.map((hex) => Buffer.from(hex, "hex")))),
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  const property = fc.property(vectorBody, changes, context, (vector, edits, how) => {
    const changed = Buffer.from(vector.bytes);
    for (const { at, bit, extreme } of edits) {
      const index = at % changed.length;
      if (extreme === null) changed[index] = (changed[index] as number) ^ (1 << bit);
      else extreme.copy(changed, index);
    }
    feed(messages.get(vector.name) as AnyMessage, { side: vector.side, context: how }, changed);
  });
  fc.assert(property, { numRuns: 20 * (fc.readConfigureGlobal().numRuns ?? 100) });
});

test("bodies of 256 KiB take no longer than their size allows", () => {
  const size = 256 * 1024;
  const fillings = [0, 0x0a, 0x31, 0x3a, 0xff].map((byte) => Buffer.alloc(size, byte));
  for (const target of messages.values()) {
    for (const bytes of fillings) {
      for (const which of ["request", "reply"] as const)
        feed(target, { side: which, context: usual }, bytes);
    }
  }
});

const nameLike = fc.string({ unit: fc.constantFrom(..."M0F/.-_Aaz9\0\n ü"), maxLength: 140 });

test("names are parsed to what cannot leave a store path, or not at all", () => {
  const property = fc.property(fc.oneof(nameLike, fc.string({ maxLength: 140 })), (text) => {
    const parsed = parseRemoteFilename(text);
    if (parsed === undefined) return;
    expect(parsed.base).toMatch(/^[!-.0-~]+$/);
    expect([".", ".."]).not.toContain(parsed.base);
    const again = parseRemoteFilename(formatRemoteFilename(parsed));
    // An old name of 124 characters and more grows beyond the limit by its store path.
    if (text.startsWith("M") || text.length <= 123) expect(again).toEqual(parsed);
  });
  fc.assert(property, { numRuns: 20 * (fc.readConfigureGlobal().numRuns ?? 100) });
});

test("file ids and their last components decode or do not", () => {
  const base = fc.string({ unit: fc.constantFrom(..."AZaz09-_."), minLength: 20, maxLength: 90 });
  const property = fc.property(fc.oneof(base, nameLike, fc.string()), (text) => {
    const decoded = decodeBase(text);
    if (decoded !== undefined) {
      expect(decoded.size === undefined || Number.isSafeInteger(decoded.size)).toBe(true);
      expect(decoded.timestamp).toBeGreaterThanOrEqual(0);
      expect(text.endsWith(decoded.extension)).toBe(true);
      expect(decoded.isTrunk).toBe(decoded.trunk !== undefined);
    }
    const parts = splitFileId(text);
    if (parts !== undefined) expect(`${parts.group}/${parts.filename}`).toBe(text);
  });
  fc.assert(property, { numRuns: 20 * (fc.readConfigureGlobal().numRuns ?? 100) });
});

test("metadata of any bytes stays as it is once it is in order", () => {
  const bytes = fc.array(fc.constantFrom(1, 2, 2, 65, 66, 0xff, 0xc3, 0), { maxLength: 400 });
  const property = fc.property(bytes, bytes, (left, right) => {
    const stored = normalizeMetadata(Buffer.from(left));
    expect(normalizeMetadata(stored).equals(stored)).toBe(true);
    const merged = mergeMetadata(stored, Buffer.from(right));
    expect(normalizeMetadata(merged).equals(merged)).toBe(true);
    expect(merged.length).toBeLessThanOrEqual(left.length + right.length + 1);
    parseMetadata(merged);
  });
  fc.assert(property, { numRuns: 5 * (fc.readConfigureGlobal().numRuns ?? 100) });
});

test("lines of storage ids files are entries or say what is wrong", () => {
  const words = fc.constantFrom(
    "1",
    "100001",
    "group1",
    "10.0.0.1",
    "[fe80::1]:1",
    ",",
    ":1",
    "rw=read",
    " ",
    "\t",
    "x",
    "[",
  );
  const lines = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 12 }).map((parts) => parts.join(" ")),
  );
  const property = fc.property(lines, (line) => {
    const entry = parseStorageIdLine(line);
    if (typeof entry === "string") expect(entry.length).toBeGreaterThan(10);
    else expect(parseStorageIdLine(formatStorageIdLine(entry))).toEqual(entry);
  });
  fc.assert(property, { numRuns: 10 * (fc.readConfigureGlobal().numRuns ?? 100) });
});
