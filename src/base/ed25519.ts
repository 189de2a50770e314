/** Signatures of nodes: Ed25519 (RFC 8032) over raw keys of 32 bytes. Deterministic: the same seed is the same key pair, and signs alike. Pure. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { assert } from "#base/assert.ts";

export const ed25519KeyBytes = 32;
export const ed25519SignatureBytes = 64;

/** What stands before the 32 bytes in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410). */
const seedPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** `seed`: 32 unpredictable bytes, which are the secret. */
export function signerOf(seed: Uint8Array): Signer {
  assert(seed.length === ed25519KeyBytes, `a seed of ${seed.length} bytes`);
  const key = createPrivateKey({
    key: Buffer.concat([seedPrefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    publicKey: Buffer.from(spki.subarray(publicPrefix.length)),
    sign: (bytes) => sign(null, bytes, key),
  };
}

/** False also where key or signature are none. */
export function isSignedBy(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== ed25519KeyBytes || signature.length !== ed25519SignatureBytes) {
    return false;
  }
  return verify(null, bytes, publicKeyOf(publicKey), signature);
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([publicPrefix, bytes]),
    format: "der",
    type: "spki",
  });
}
