/**
 * What a storage with an IPv6 address is called where storage ids are not in use: the address itself does not fit the field
 * (protocol §3.10). Twelve characters from the CRC-32 of the text, taken before its final inversion.
 */
import { crc32 } from "node:zlib";
import { encodeTwoWords } from "#model/base64.ts";
import { swapBytes } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";

/** `fe80::2` → `7iM0dwAAAAA.`. `address` is the compressed lower-case text. */
export function ipv6ShortCode(address: string): StorageId {
  const register = (crc32(address) ^ 0xffffffff) >>> 0;
  return `${encodeTwoWords(swapBytes(register), 0)}.` as StorageId;
}
