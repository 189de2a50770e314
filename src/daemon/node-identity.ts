/**
 * Who this node is: an Ed25519 key pair that it makes at its first start and keeps beside its state, readable by itself alone. Addresses,
 * names and cards may change; passports and peers know the key. Main thread, at the start.
 */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import { canonicalJson, isJsonObject, parseCanonicalValue } from "#base/canonical-json.ts";
import { ed25519KeyBytes, type Signer, signerOf } from "#base/ed25519.ts";
import { type NodeId, nodeIdOf } from "#model/node-id.ts";
import type { Host } from "#platform/host.ts";
import type { Random } from "#platform/random.ts";

export const identityFilename = "identity.json";

const version = 1;

export interface NodeIdentity {
  readonly id: NodeId;
  readonly signer: Signer;
}

/** The key of the node in `dataDirectory`; undefined before its first start. Throws `AppError("node-identity-damaged")`. */
export function readIdentity(host: Host, dataDirectory: string): NodeIdentity | undefined {
  const path = posix.join(dataDirectory, identityFilename);
  const text = host.readText(path);
  if (text === undefined) return undefined;
  const identity = parseIdentity(text);
  if (identity !== undefined) return identity;
  throw new AppError(
    "node-identity-damaged",
    `${path} is not what this node wrote: put it back from a copy; if there is none, move it away, and the node starts as a new one, to which its own disks have to be given anew`,
  );
}

/** Makes the key where there is none yet. Throws as `readIdentity` does, and `FileError`. */
export function openIdentity(
  host: Host,
  random: Random,
  dataDirectory: string,
): { readonly identity: NodeIdentity; readonly isNew: boolean } {
  const known = readIdentity(host, dataDirectory);
  if (known !== undefined) return { identity: known, isNew: false };
  const seed = random.bytes(ed25519KeyBytes);
  host.replaceFile(posix.join(dataDirectory, identityFilename), formatIdentity(seed));
  return { identity: identityOf(seed), isNew: true };
}

/** The text of the file, from the secret seed. */
export function formatIdentity(seed: Uint8Array): string {
  const { id, signer } = identityOf(seed);
  return `${canonicalJson({ version, id, publicKey: hex(signer.publicKey), seed: hex(seed) })}\n`;
}

/** Undefined where it is not what `formatIdentity` writes. */
export function parseIdentity(text: string): NodeIdentity | undefined {
  const value = parseCanonicalValue(text);
  if (!isJsonObject(value) || typeof value.seed !== "string") return undefined;
  const seed = Buffer.from(value.seed, "hex");
  if (seed.length !== ed25519KeyBytes) return undefined;
  const identity = identityOf(seed);
  return value.publicKey === hex(identity.signer.publicKey) ? identity : undefined;
}

function identityOf(seed: Uint8Array): NodeIdentity {
  const signer = signerOf(seed);
  return { id: nodeIdOf(signer.publicKey), signer };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
