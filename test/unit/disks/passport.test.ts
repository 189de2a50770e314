import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { canonicalJson, type JsonObject } from "#base/canonical-json.ts";
import {
  choosePassport,
  formatPassport,
  isInnerDirectory,
  parsePassport,
  passportLimits,
} from "#disks/passport.ts";
import { passportText, someNode, somePassport } from "../../support/passports.ts";

/** With another content, and the checksum that belongs to it. */
function changed(text: string, change: (fields: Record<string, unknown>) => void): string {
  const { crc32: _, ...fields } = JSON.parse(text);
  change(fields);
  return `${canonicalJson({ ...fields, crc32: crc32(canonicalJson(fields as JsonObject)) })}\n`;
}

/** As a newer release would sign it. */
function signedWith(more: JsonObject): string {
  const { signer } = someNode(1);
  const { crc32: _, signature: __, ...known } = JSON.parse(passportText());
  const fields = { ...known, ...more };
  const signature = Buffer.from(signer.sign(Buffer.from(canonicalJson(fields)))).toString("hex");
  return changed(canonicalJson({ ...fields, signature, crc32: 0 }), () => {});
}

test("a passport is read as it was written", () => {
  const passport = somePassport({
    paths: [
      { index: 0, id: undefined, directory: "store/M00" },
      { index: 7, id: "b".repeat(32), directory: "store/M07" },
    ],
  });
  const text = formatPassport(passport, someNode(1).signer);
  const read = parsePassport(text);
  expect({ ...read, node: { ...read.node, publicKey: [...read.node.publicKey] } }).toEqual({
    ...passport,
    node: { ...passport.node, publicKey: [...passport.node.publicKey] },
  });
  expect(formatPassport(read, someNode(1).signer)).toBe(text);
});

test("the written form stays", () => {
  expect(passportText()).toMatchInlineSnapshot(`
    "{"crc32":3120257965,"diskId":"dddddddddddddddddddddddddddddddd","group":"group1","history":[{"at":1800000000,"node":"34750f98bd59fcfc","what":"given"}],"node":{"id":"34750f98bd59fcfc","name":"box 1","publicKey":"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"},"paths":[{"directory":"store/M00","id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","index":0}],"readableFrom":1,"revision":1,"signature":"298af20e3c10d160f9ec1a395953e218885f8f0b4d396eca7a27db9d8125d5232a8c0d54941f20376d7d62ca4fc237b1aa3d8b73ba1ca7bca5e1c68bfd778801","version":1}
    "
  `);
});

test("one flipped bit is damage, wherever it is", () => {
  const text = passportText();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length - 1; at += 1) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    expect(() => parsePassport(copy.toString("latin1")), `byte ${at}`).toThrow();
  }
  expect(() => parsePassport(text.slice(0, 100))).toThrow("the disk's passport is no JSON object");
});

test("whoever changes a passport without the key of its node is found out", () => {
  const text = passportText();
  for (const change of [
    (fields: Record<string, unknown>) => {
      fields.group = "group2";
    },
    (fields: Record<string, unknown>) => {
      fields.diskId = "e".repeat(32);
    },
    (fields: Record<string, unknown>) => {
      fields.paths = [];
    },
    (fields: Record<string, unknown>) => {
      fields.added = 1;
    },
  ]) {
    expect(() => parsePassport(changed(text, change))).toThrow("its signature is not that");
  }
  const stolen = changed(text, (fields) => {
    fields.node = { ...(fields.node as object), id: "0".repeat(16) };
  });
  expect(() => parsePassport(stolen)).toThrow("its id is not that of its key");
});

test("a passport outside of its limits is refused, though it is signed", () => {
  const node = JSON.parse(passportText()).node;
  const path = { index: 0, id: null, directory: "store/M00" };
  const event = { at: 0, what: "given", node: "0".repeat(16) };
  for (const more of [
    { paths: [{ ...path, index: 256 }] },
    { paths: [{ ...path, index: -1 }] },
    { paths: [{ ...path, directory: "../other" }] },
    { paths: [{ ...path, directory: "/store" }] },
    { paths: [{ ...path, directory: "" }] },
    { paths: [{ ...path, id: "x" }] },
    { paths: [path, { ...path, directory: "store/other" }] },
    { paths: [path, { ...path, index: 1 }] },
    { paths: Array.from({ length: passportLimits.paths + 1 }, () => path) },
    { history: Array.from({ length: passportLimits.history + 1 }, () => event) },
    { history: [{ ...event, what: "x".repeat(200) }] },
    { group: "no group" },
    { diskId: "1" },
    { node: { ...node, name: "x".repeat(65) } },
    { node: 1 },
    { revision: -1 },
  ]) {
    expect(() => parsePassport(signedWith(more)), JSON.stringify(more).slice(0, 80)).toThrow(
      "the disk's passport",
    );
  }
  expect(() => parsePassport(" ".repeat(passportLimits.textBytes + 1))).toThrow("too long");
});

test("what a newer release added is kept, and what is not for us is refused with what to do", () => {
  const newer = parsePassport(signedWith({ version: 2, bay: { row: 1 } }));
  expect(newer.rest).toEqual({ version: 2, bay: { row: 1 } });
  const again = parsePassport(
    formatPassport({ ...newer, revision: newer.revision + 1 }, someNode(1).signer),
  );
  expect(again.rest).toEqual({ version: 2, bay: { row: 1 } });
  expect(() => parsePassport(signedWith({ version: 3, readableFrom: 2 }))).toThrow(
    "written by a newer release of Cairn (version 2): update this node",
  );
});

test("of two copies the newer whole one counts", () => {
  const [old, fresh] = [passportText({ revision: 4 }), passportText({ revision: 5 })];
  expect(choosePassport([old, fresh])?.revision).toBe(5);
  expect(choosePassport([fresh, old])?.revision).toBe(5);
  expect(choosePassport([fresh.slice(0, 80), old])?.revision).toBe(4);
  expect(choosePassport([undefined, old])?.revision).toBe(4);
  expect(choosePassport([undefined, undefined])).toBe(undefined);
  expect(() => choosePassport(["", undefined])).toThrow("the disk's passport");
});

test("only the newest events are written", () => {
  const node = someNode(1).owner.id;
  const history = Array.from({ length: 100 }, (_, at) => ({ at, what: "looked at", node }));
  const read = parsePassport(passportText({ history }));
  expect(read.history.map(({ at }) => at)).toEqual(Array.from({ length: 64 }, (_, i) => i + 36));
});

test("a store path lies below the mount point, in no hidden directory", () => {
  expect(["store/M00", "M00", "a-b/c_d.e"].every(isInnerDirectory)).toBe(true);
  const outside = ["..", "a/..", "/a", "a//b", "a/", ".cairn-disk", "a/.b", "a b", "a\0"];
  expect(outside.some(isInnerDirectory)).toBe(false);
});

test("how often a path was moved is kept, also by a release that knows nothing of it", () => {
  const path = { index: 3, id: "a".repeat(32), directory: "store/M03" };
  const text = passportText({ paths: [{ ...path, moves: 2 }] });
  expect(parsePassport(text).paths).toEqual([{ ...path, moves: 2 }]);
  expect(JSON.parse(text).paths).toEqual([path]);
  expect(JSON.parse(passportText({ paths: [path] })).moves).toBeUndefined();
});
