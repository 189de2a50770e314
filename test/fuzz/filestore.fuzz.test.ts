/**
 * Goal: nothing that lies on a disk makes the readers of its small formats throw, hang or change what they read.
 * Method: random bytes, and random sequences of the fragments that each format consists of, into every reader; what is accepted must
 * come back the same when it is written again. A whole store path of rubbish is opened, too.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { BinlogReader } from "#filestore/binlog/binlog-reader.ts";
import { decodeEntry, encodeEntry } from "#filestore/binlog/entry.ts";
import {
  formatBinlogFilename,
  formatBinlogIndex,
  parseBinlogFilename,
  parseBinlogIndex,
} from "#filestore/formats/binlog-index.ts";
import { formatEngineState, parseEngineState } from "#filestore/formats/engine-state.ts";
import { parseKeyValueLines } from "#filestore/formats/key-value-lines.ts";
import { formatBound, formatNew, parseStagedName } from "#filestore/formats/staged-name.ts";
import { encodeTrunkHeader, matchTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { decodeBase } from "#model/file-id.ts";
import { openEngine, put, readBack, viewOf } from "../support/engine-fixture.ts";
import { MemoryFiles } from "../support/memory-files.ts";
import { writeFile } from "../support/store-path-vectors.ts";

/** Random latin1 text, or fragments in random order. */
function textOf(...fragments: readonly string[]): fc.Arbitrary<string> {
  const pieces = fc.array(fc.constantFrom(...fragments), { maxLength: 12 });
  const bytes = fc
    .uint8Array({ maxLength: 80 })
    .map((some) => Buffer.from(some).toString("latin1"));
  const joined = pieces.map((each) => each.join(""));
  return fc.oneof(joined, joined, bytes);
}

const name = "M00/00/01/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const line = textOf(
  ...["1795395770", " ", " C ", " c ", "A", "M", "T", "L", "R", " D ", "-m", name, "0", "17", "-1"],
  ...["9007199254740993", "\0", "\t", "x".repeat(250), "M00/00/00/", "\u00ff"],
);

test("binlog lines are entries, or none; entries are written as they were read", () => {
  fc.assert(
    fc.property(line, (text) => {
      const entry = decodeEntry(text);
      if (entry === undefined) return;
      const written = encodeEntry(entry);
      expect(decodeEntry(written.slice(0, -1))).toEqual(entry);
      expect(Number.isSafeInteger(entry.timestamp)).toBe(true);
      expect(entry.name).toMatch(/^[^\s\0]{11,}$/);
    }),
  );
});

test("every entry that can be made is read again", () => {
  const count = fc.maxSafeNat();
  const names = fc.stringMatching(/^M[0-9A-F]{2}\/[0-9A-F]{2}\/[0-9A-F]{2}\/[\w.-]{1,60}$/);
  const head = { timestamp: fc.nat(), replica: fc.boolean(), name: names };
  const entries = fc.oneof(
    fc.record({ ...head, kind: fc.constantFrom("create", "update", "delete") }),
    fc.record({ ...head, kind: fc.constantFrom("append", "modify"), offset: count, length: count }),
    fc.record({ ...head, kind: fc.constant("truncate"), oldSize: count, newSize: count }),
    fc.record({ ...head, kind: fc.constant("link"), target: fc.option(names, { nil: undefined }) }),
    fc.record({ ...head, kind: fc.constant("rename"), oldName: names }),
  );
  fc.assert(
    fc.property(entries, (entry) => {
      expect(decodeEntry(encodeEntry(entry).slice(0, -1))).toEqual(entry);
    }),
  );
});

test("a binlog of anything is read to its end, and accounts for every byte", () => {
  const files = fc.array(
    fc
      .array(fc.oneof(line, fc.constant(`1795395770 C ${name}`)), { maxLength: 8 })
      .map((lines) => lines.join("\n")),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(files, fc.nat(3), fc.nat(200), (texts, index, offset) => {
      const disk = new MemoryFiles("/sync", "/tmp");
      for (const [number, text] of texts.entries()) {
        writeFile(disk, `/sync/${formatBinlogFilename(number)}`, text);
      }
      const parts = { files: disk, directory: "/sync", scratch: "/tmp" };
      const reader = new BinlogReader(parts, { index, offset });
      let records = 0;
      for (let reads = 0; ; reads += 1) {
        expect(reads).toBeLessThan(20);
        const chunk = reader.read();
        if (chunk.records.length + chunk.invalid.length === 0) break;
        records += chunk.records.length;
      }
      reader.close();
      const whole = texts.flatMap((text) => text.split("\n").slice(0, -1));
      expect(records).toBeLessThanOrEqual(whole.length);
      if (index === 0 && offset === 0) {
        expect(records).toBe(whole.filter((one) => decodeEntry(one) !== undefined).length);
      }
      expect(disk.openFiles).toBe(0);
    }),
  );
});

const keyValue = textOf(
  ...["version", "subdir_count", "binlog_index", "binlog_offset", "clean", "current_write"],
  ...["current_compress", "=", "\n", "1", "256", "-1", "1e9", " ", "\0", "99999999999999999"],
);

test("small state files are read, or refused, whatever they hold", () => {
  fc.assert(
    fc.property(keyValue, (text) => {
      expect(parseKeyValueLines(text).size).toBeLessThanOrEqual(text.split("\n").length);
      const state = parseEngineState(text);
      if (state !== undefined) expect(parseEngineState(formatEngineState(state))).toEqual(state);
      const index = parseBinlogIndex(text);
      if (index !== undefined) expect(parseBinlogIndex(formatBinlogIndex(index))).toEqual(index);
    }),
  );
});

const filename = textOf(
  ...[
    "binlog.",
    "000",
    "12",
    "1234",
    ".gz",
    "1.2@",
    "00",
    "0A",
    ".",
    "FF.",
    "@",
    "x",
    ".part",
    "7",
  ],
  ...["..", "/", "\0", "\n"],
);

test("names of binlogs and of staged files are read, or are none", () => {
  fc.assert(
    fc.property(filename, (text) => {
      const index = parseBinlogFilename(text);
      if (index !== undefined) expect(parseBinlogFilename(formatBinlogFilename(index))).toBe(index);
      const staged = parseStagedName(text);
      if (staged === undefined || staged.kind === "part") return;
      expect(staged.place.base).not.toMatch(/^\.\.?$|[/\0]/);
      const again =
        staged.kind === "new"
          ? formatNew(staged.place)
          : formatBound(staged.place, staged.position);
      expect(parseStagedName(again)).toEqual(staged);
    }),
  );
});

test("a slot's header matches its own name alone", () => {
  const base = "CgkAA2sDkXSIDf4GAAACvIvzm98AAAAAgAAAAAAAAMA684.dat";
  const decoded = decodeBase(base);
  if (decoded === undefined) throw new Error("the example of the protocol is a name");
  const header = encodeTrunkHeader(base, decoded, "file");
  const change = fc.record({ at: fc.nat(23), by: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), change, (bytes, { at, by }) => {
      const matched = matchTrunkHeader(bytes, base, decoded);
      expect(matched === undefined || header.equals(bytes.subarray(0, 24))).toBe(true);
      const changed = Buffer.from(header);
      changed[at] = ((changed[at] ?? 0) + by) & 0xff;
      const expected = at === 0 && changed[0] === 0x4c ? "link" : undefined;
      expect(matchTrunkHeader(changed, base, decoded)).toBe(expected);
    }),
  );
});

test("a store path full of rubbish is opened or refused in words, and never loses a file", () => {
  const rubbish = fc.record({
    binlog: fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n")),
    state: fc.option(keyValue),
    index: fc.option(keyValue),
    staged: fc.array(
      filename.filter((text) => /^[^/\0]+$/.test(text) && !/^\.+$/.test(text)),
      {
        maxLength: 4,
      },
    ),
  });
  fc.assert(
    fc.property(rubbish, ({ binlog, state, index, staged }) => {
      const directory = "/disk";
      const files = new MemoryFiles(directory);
      const before = openEngine({ files, directory });
      const kept = put(before, { kind: "normal", extension: "txt" }, "kept");
      const data = `${directory}/data`;
      before.close();
      writeFile(files, `${data}/sync/binlog.000`, binlog);
      if (state !== null) writeFile(files, `${data}/.cairn/state`, state);
      if (index !== null) writeFile(files, `${data}/sync/binlog_index.dat`, index);
      for (const text of staged) writeFile(files, `${data}/.cairn/tmp/${text}`, text);
      try {
        const engine = openEngine({ files, directory, seed: 2 });
        expect(readBack(engine, kept).toString()).toBe("kept");
        put(engine, { kind: "normal", extension: "txt" }, "new");
        expect(viewOf(files, directory).staged).toEqual([]);
        engine.close();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        expect(error.code).toBe("store-path-unfit");
      }
      expect(viewOf(files, directory).files[kept.slice(4)]).toBe("kept");
    }),
  );
});
