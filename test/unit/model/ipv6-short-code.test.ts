import { expect, test } from "vitest";
import { ipv6ShortCode } from "#model/ipv6-short-code.ts";
import { isStorageId } from "#model/storage-id.ts";

test("the protocol's example has its code, which is a storage id", () => {
  const code = ipv6ShortCode("fe80::2");
  expect(code).toBe("7iM0dwAAAAA.");
  expect(isStorageId(code)).toBe(true);
  expect(ipv6ShortCode("fe80::3")).not.toBe(code);
});
