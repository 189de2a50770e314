import { expect, test } from "vitest";
import { encodeTrunkHeader, matchTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { type DecodedBase, decodeBase } from "#model/file-id.ts";

/** Examples 11 and 8 of the protocol's §3.11, with the headers of §4.2. */
const file = "CgkAA2sDkXSIDf4GAAACvIvzm98AAAAAgAAAAAAAAMA684.dat";
const fileHeader = "4600000300000002bc8bf39bdf6b0391743638342e646174";
const link = "CgkAA2sDkXeIRKKjAAAAPCf6Um8AAAAAgAAAwAAAAEA036.lnk";
const linkHeader = "4c000001000000003c27fa526f6b0391773033362e6c6e6b";

const decoded = (base: string): DecodedBase => decodeBase(base) as DecodedBase;

test("headers follow from names", () => {
  expect(encodeTrunkHeader(file, decoded(file), "file").toString("hex")).toBe(fileHeader);
  expect(encodeTrunkHeader(link, decoded(link), "link").toString("hex")).toBe(linkHeader);
});

test("a slot is the named file's where every byte agrees", () => {
  const header = Buffer.from(fileHeader, "hex");
  expect(matchTrunkHeader(header, file, decoded(file))).toBe("file");
  expect(matchTrunkHeader(Buffer.from(linkHeader, "hex"), link, decoded(link))).toBe("link");
  expect(matchTrunkHeader(header, link, decoded(link))).toBeUndefined();
  for (let at = 0; at < header.length; at += 1) {
    const changed = Buffer.from(header);
    changed.writeUInt8((changed.readUInt8(at) + 1) & 0xff, at);
    expect(matchTrunkHeader(changed, file, decoded(file))).toBeUndefined();
  }
  expect(matchTrunkHeader(header.subarray(0, 23), file, decoded(file))).toBeUndefined();
  expect(matchTrunkHeader(Buffer.alloc(24), file, decoded(file))).toBeUndefined();
});
