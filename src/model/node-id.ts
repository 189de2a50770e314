/**
 * Who a node is, whatever its address: the first 16 hexadecimal digits of the SHA-256 of its public key (Ed25519, 32 bytes). Short enough
 * to be read aloud; whoever needs certainty compares the key.
 */
import { createHash } from "node:crypto";
import { AppError } from "#base/app-error.ts";
import type { Brand } from "#base/brand.ts";

export type NodeId = Brand<string, "NodeId">;

const digits = 16;
const pattern = /^[0-9a-f]{16}$/;

export function isNodeId(text: string): text is NodeId {
  return pattern.test(text);
}

/** Brands `text`; throws `AppError("node-id-invalid")`. */
export function NodeId(text: string): NodeId {
  if (isNodeId(text)) return text;
  throw new AppError(
    "node-id-invalid",
    `"${text.slice(0, 40)}" is not the id of a node: use 16 digits of 0-9 and a-f`,
  );
}

/** `publicKey`: the 32 bytes of an Ed25519 key. */
export function nodeIdOf(publicKey: Uint8Array): NodeId {
  return NodeId(createHash("sha256").update(publicKey).digest("hex").slice(0, digits));
}
