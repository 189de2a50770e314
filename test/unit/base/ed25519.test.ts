import { expect, test } from "vitest";
import { isSignedBy, signerOf } from "#base/ed25519.ts";

// RFC 8032, 7.1, test 2.
const seed = Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex");
const publicKey = Buffer.from(
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  "hex",
);
const message = Uint8Array.of(0x72);
const signature = Buffer.from(
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  "hex",
);

test("keys and signatures are those of RFC 8032", () => {
  const signer = signerOf(seed);
  expect(Buffer.from(signer.publicKey)).toEqual(publicKey);
  expect(Buffer.from(signer.sign(message))).toEqual(signature);
  expect(isSignedBy(publicKey, message, signature)).toBe(true);
});

test("another message, key or signature is none", () => {
  const changed = Buffer.from(signature);
  changed[3] = (changed[3] ?? 0) ^ 1;
  const other = signerOf(new Uint8Array(32)).publicKey;
  expect(isSignedBy(publicKey, Uint8Array.of(0x73), signature)).toBe(false);
  expect(isSignedBy(other, message, signature)).toBe(false);
  expect(isSignedBy(publicKey, message, changed)).toBe(false);
  expect(isSignedBy(publicKey.subarray(1), message, signature)).toBe(false);
  expect(isSignedBy(publicKey, message, signature.subarray(1))).toBe(false);
  expect(isSignedBy(new Uint8Array(32).fill(255), message, signature)).toBe(false);
});
