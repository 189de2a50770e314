/**
 * Goal: whatever lies in the place of a copy of the state is read as one or refused in words.
 * Method: random bytes, alone and behind the head of a genuine one, and any value in the place of a field of the head under a right sum.
 */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { canonicalJson, parseCanonicalValue } from "#base/canonical-json.ts";
import { formatStateCopy, parseStateCopy } from "#disks/state-copy.ts";
import { someNode } from "../support/passports.ts";

const nodeId = someNode(1).owner.id;
const genuine = Buffer.from(
  formatStateCopy({ nodeId, sequence: 1, writtenAt: 2, identity: "x", state: Buffer.from("y") }),
);
const head = JSON.parse(genuine.subarray(0, genuine.indexOf(0x0a)).toString());

function readOrRefused(bytes: Uint8Array): void {
  try {
    parseStateCopy(bytes);
  } catch (error) {
    if (!(error instanceof AppError) || !error.code.startsWith("state-copy-")) throw error;
  }
}

test("random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(genuine.length), (bytes, at) => {
      readOrRefused(bytes);
      readOrRefused(Buffer.concat([genuine.subarray(0, at), bytes]));
    }),
  );
});

test("any head", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(head)), fc.jsonValue(), (key, value) => {
      const { headCrc32: _, ...fields } = { ...head, [key]: value };
      const known = parseCanonicalValue(JSON.stringify(fields));
      if (known === undefined) return;
      const sealed = { ...fields, headCrc32: crc32(canonicalJson(known)) };
      readOrRefused(Buffer.from(`${canonicalJson(sealed)}\nxy`));
    }),
  );
});
