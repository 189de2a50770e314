/** Passports of made-up disks and nodes. */
import { signerOf } from "#base/ed25519.ts";
import { formatPassport, type Passport } from "#disks/passport.ts";
import { DiskId } from "#model/disk-id.ts";
import { GroupName } from "#model/group-name.ts";
import { nodeIdOf } from "#model/node-id.ts";

/** A node with a key of its own for each number. */
export function someNode(number: number) {
  const signer = signerOf(new Uint8Array(32).fill(number));
  const { publicKey } = signer;
  return { signer, owner: { id: nodeIdOf(publicKey), publicKey, name: `box ${number}` } };
}

export function somePassport(fields: Partial<Passport> = {}): Passport {
  const { owner } = someNode(1);
  return {
    diskId: DiskId("d".repeat(32)),
    revision: 1,
    node: owner,
    group: GroupName("group1"),
    paths: [{ index: 0, id: "a".repeat(32), directory: "store/M00" }],
    history: [{ at: 1_800_000_000, what: "given", node: owner.id }],
    rest: {},
    ...fields,
  };
}

export function passportText(fields: Partial<Passport> = {}, node = 1): string {
  const { owner, signer } = someNode(node);
  return formatPassport(somePassport({ node: owner, ...fields }), signer);
}
