/** Metadata between JSON and FastDFS's text. */
import { expect, test } from "vitest";
import { metadataFromJson, metadataText, metadataToObject } from "#gateway/metadata-json.ts";

test("an object goes in and comes out", () => {
  const json = '{"name":"Zoë","size":5,"ok":true,"empty":"","__proto__":"x"}';
  const text = metadataText(metadataFromJson(json));
  expect(Object.entries(metadataToObject(text))).toEqual([
    ["name", "Zoë"],
    ["size", "5"],
    ["ok", "true"],
    ["empty", ""],
    ["__proto__", "x"],
  ]);
});

test("no metadata is an empty object", () => {
  expect(metadataToObject(new Uint8Array(0))).toEqual({});
  expect(metadataText([])).toHaveLength(0);
});

test("what is no object of texts is refused", () => {
  const wrong = ["", "{", "[]", "null", "5", '"x"', '{"a":null}', '{"a":{}}', '{"a":["x"]}'];
  for (const json of wrong) expect(() => metadataFromJson(json)).toThrow();
});

test("what the store would cut or split is refused, not stored otherwise", () => {
  const fits: [string, string][] = [["n".repeat(64), "v".repeat(256)]];
  expect(metadataText(fits)).toHaveLength(64 + 1 + 256);
  const wrong: [string, string][] = [
    ["", "x"],
    ["n".repeat(65), "x"],
    ["ü".repeat(33), "x"],
    ["n", "v".repeat(257)],
    ["a\x01b", "x"],
    ["a", "x\x02y"],
  ];
  for (const entry of wrong) expect(() => metadataText([entry])).toThrow();
});
