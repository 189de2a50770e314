/**
 * Goal: no text makes the readers of configuration fail in another way than they declare, hang, or point to a wrong place.
 * Method: random characters, and random sequences of the fragments that each syntax consists of, into every reader. Lengths
 * are bounded; how many values are tried is set for the whole folder.
 */
import fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { parseByteSize } from "#base/byte-size.ts";
import { parseDuration } from "#base/duration.ts";
import { canonicalAddress } from "#config/address-bytes.ts";
import { addressMatcher, namesToResolve, parseAddressRule } from "#config/address-rules.ts";
import { environmentVariable, readSource } from "#config/config-sources.ts";
import { readFastdfsConf } from "#config/fastdfs-conf.ts";
import { importConf } from "#config/import-conf.ts";
import { loadConfig, secretFilesOf } from "#config/load-config.ts";
import { suggestKey } from "#config/nearest-key.ts";
import { schemaKeys } from "#config/schema.ts";
import { parseStorageIds, settleStorageIds } from "#config/storage-ids.ts";
import { TomlLines, type TomlPath } from "#config/toml-lines.ts";

const directory = "/d";

/** Random text, or fragments in random order. */
function textOf(...fragments: readonly string[]): fc.Arbitrary<string> {
  const pieces = fc
    .array(fc.constantFrom(...fragments), { maxLength: 30 })
    .map((each) => each.join(""));
  return fc.oneof(
    pieces,
    pieces,
    fc.string({ maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
}

const toml = textOf(
  "[",
  "]",
  "[[",
  "]]",
  "{",
  "}",
  "=",
  " = ",
  ",",
  ".",
  "\n",
  "\r\n",
  "#",
  '"',
  "'",
  '"""',
  "'''",
  "\\",
  " ",
  "storage",
  "path",
  "port",
  "directory",
  "gateway",
  "anti_leech",
  "secret_file",
  "1",
  "true",
  '"/a"',
  "1979-05-27",
  "inf",
  "a",
  "\uFEFF",
  "\\u00e9",
  "__proto__",
);
const conf = textOf(
  "\n",
  "=",
  " = ",
  "#",
  "#include x",
  "#@if",
  "[",
  "]",
  "[access-log]",
  "\n\n",
  "port",
  "base_path",
  "store_path0",
  "store_path_count",
  "tracker_server",
  "allow_hosts",
  "bind_addr",
  "/a",
  "1",
  "2",
  ",",
  "10.0.0.1",
  ":",
  "::1",
  "%",
  "\0",
  " ",
);
const ids = textOf(
  "1",
  "100001",
  "0",
  " ",
  "\t",
  "\n",
  "group1",
  "10.0.0.1",
  "59.1.2.3",
  "2001:db8::1",
  ",",
  ":",
  "[",
  "]",
  "23000",
  "rw=",
  "both",
  "none",
  "nas",
  "#",
  "\r",
);
const rule = textOf(
  "*",
  "10",
  ".",
  "0",
  "255",
  "[",
  "]",
  "-",
  ",",
  "/",
  "8",
  ":",
  "::",
  "ffff",
  "host",
  "a",
  " ",
  "%",
);

/** Fails unless `run` ends well or with one of `codes`. */
function endsWith(codes: readonly string[], run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof AppError) || !codes.includes(error.code)) throw error;
    expect(error.message).not.toBe("");
  }
}

/** The ways to all values of a parsed document. */
function pathsOf(value: unknown, path: TomlPath): readonly TomlPath[] {
  if (typeof value !== "object" || value === null || value instanceof Date) return [path];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [
    ...(path.length === 0 ? [] : [path]),
    ...entries.flatMap(([key, each]) => pathsOf(each, [...path, key])),
  ];
}

test("a settings file loads, or says in which lines it is wrong", () => {
  fc.assert(
    fc.property(toml, fc.constantFrom(...schemaKeys), (text, key) => {
      for (const each of [
        text,
        `${key.tableKey === "" ? "" : `[${key.tableKey}]\n`}${key.key.split(".").at(-1)} = ${text}`,
      ]) {
        const source = { kind: "file", name: "f", directory, text: each } as const;
        const count = each.split("\n").length;
        for (const problem of readSource(source, directory).problems) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.line).toBeLessThanOrEqual(count);
        }
        expect(secretFilesOf([source], { directory }).length).toBeLessThanOrEqual(1);
        endsWith(["config-invalid"], () => loadConfig([source], { directory }));
      }
    }),
  );
});

/** Lines most of which are TOML, so that many of the documents are. */
const document = fc
  .array(
    fc.oneof(
      fc
        .tuple(
          fc.nat(99),
          fc.constantFrom(
            "[%]",
            "[a.%]",
            "[[l%]]",
            "[[l%]]",
            "[l%.x]",
            "% = 1",
            "% . b = '#'",
            "% = [1, # x\n {c=2,\n d=[]}]",
            "% = {e.f=[\n]}",
            '"q%" = """\n[x]\\""" """',
            "# [%]",
            "",
            "\t",
          ),
        )
        .map(([number, line]) => line.replace("%", String(number))),
      toml,
    ),
    { maxLength: 8 },
  )
  .map((lines) => lines.join("\n"));

test("every value of a document that the parser accepts has a line, and the scanner ends on any other", () => {
  let accepted = 0;
  fc.assert(
    fc.property(document, (text) => {
      const lines = new TomlLines(text);
      let values: unknown;
      try {
        values = parse(text, { maxDepth: 16 });
      } catch {
        return;
      }
      accepted += 1;
      for (const path of pathsOf(values, []))
        expect([text, path, lines.lineOf(path)]).not.toContain(undefined);
    }),
  );
  expect(accepted).toBeGreaterThan(0);
});

test("environment and command line are read, or refused", () => {
  const key = fc.oneof(
    fc.constantFrom(...schemaKeys.map((each) => each.key)),
    fc.string({ maxLength: 20 }),
  );
  const value = fc.oneof(toml, rule, fc.string({ maxLength: 20 }));
  fc.assert(
    fc.property(key, value, (name, text) => {
      const variables = { [environmentVariable(name)]: text };
      endsWith(["config-invalid"], () =>
        loadConfig([{ kind: "environment", variables }], { directory }),
      );
      endsWith(["config-invalid"], () =>
        loadConfig([{ kind: "command-line", settings: [`${name}=${text}`, text] }], { directory }),
      );
    }),
  );
});

test("FastDFS's files are imported whatever stands in them, and what is written loads", () => {
  fc.assert(
    fc.property(conf, conf, conf, (tracker, storage, included) => {
      const { items } = readFastdfsConf({ path: "/e/t", text: tracker }, () => included);
      for (const { key, value, line } of items) {
        expect(key.length <= 63 && value.length <= 255 && line >= 1).toBe(true);
      }
      const imported = importConf(
        [
          { kind: "tracker.conf", path: "/e/tracker.conf", text: tracker },
          { kind: "storage.conf", path: "/e/storage.conf", text: storage },
          { kind: "mod_fastdfs.conf", path: "/e/\nmod.conf", text: included },
        ],
        () => included,
      );
      loadConfig([{ kind: "file", name: "f", directory, text: imported.toml }], { directory });
    }),
  );
});

test("a storage ids file is read, or its wrong lines are listed", () => {
  fc.assert(
    fc.property(ids, (text) => {
      endsWith(["storage-ids-invalid"], () => {
        const entries = parseStorageIds(text, "ids");
        expect(entries.length).toBeGreaterThan(0);
        settleStorageIds(entries, new Map([["nas", "10.9.9.9"]]), "ids");
      });
    }),
  );
});

test("a rule for addresses is read or refused, and what is read can be matched", () => {
  fc.assert(
    fc.property(rule, rule, (text, peer) => {
      const reading = parseAddressRule(text);
      if ("problem" in reading) return;
      expect(namesToResolve([reading.value]).length).toBeLessThanOrEqual(1024);
      const matches = addressMatcher([reading.value]);
      expect(matches(peer)).toBe(matches(peer.includes("%") ? peer : canonicalAddress(peer)));
    }),
  );
});

test("single values and suggestions take any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      for (const value of [parseByteSize(text), parseDuration(text)]) {
        expect(value === undefined || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }
      suggestKey(text);
    }),
  );
});
