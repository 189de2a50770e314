/**
 * What a tracker answers to beats, disk reports and sync reports: what changed since the last one (ChangeReport, protocol
 * §2.4/83). Only the leading tracker ever reports a change.
 */
import type { Endpoint } from "#model/endpoint.ts";
import { isStorageId } from "#model/storage-id.ts";
import { isStorageStatus } from "#model/storage-status.ts";
import type { Codec, ValueOf } from "#protocol/codec.ts";
import { i32, list, struct, u8 } from "#protocol/codecs.ts";
import { peerAddress, type StorageBrief, storageBrief, storageIdText } from "#protocol/fields.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** Each part is `undefined` where nothing changed, and "none" where what it names is gone. */
export interface ChangeReport {
  readonly leader: Endpoint | "none" | undefined;
  readonly trunkServer: StorageBrief | "none" | undefined;
  /** All storages of the group by id, the receiver and the deleted ones among them. */
  readonly members: readonly StorageBrief[] | undefined;
}

export const noChanges: ChangeReport = {
  leader: undefined,
  trunkServer: undefined,
  members: undefined,
};

const leaderChanged = 1;
const trunkServerChanged = 2;
const membersChanged = 4;

/** A Brief before it is known whether it names anything: one of zeros names nothing. */
const anyBrief = struct({ status: u8, port: i32, id: storageIdText, address: peerAddress });
const nobody = { status: 0, port: 0, id: "", address: "" };
const members = list(storageBrief);

export const changeReport: Codec<ChangeReport> = {
  encode(value, writer, context) {
    const { leader, trunkServer } = value;
    writer.u8(
      (leader === undefined ? 0 : leaderChanged) |
        (trunkServer === undefined ? 0 : trunkServerChanged) |
        (value.members === undefined ? 0 : membersChanged),
    );
    if (leader !== undefined) anyBrief.encode(leaderBrief(leader), writer, context);
    if (trunkServer !== undefined) {
      anyBrief.encode(trunkServer === "none" ? nobody : trunkServer, writer, context);
    }
    if (value.members !== undefined) members.encode(value.members, writer, context);
  },
  decode(reader, context) {
    const flags = reader.u8();
    let leader: ChangeReport["leader"];
    if ((flags & leaderChanged) !== 0) {
      const { address, port } = anyBrief.decode(reader, context);
      leader = address === "" ? "none" : { address, port };
    }
    let trunkServer: ChangeReport["trunkServer"];
    if ((flags & trunkServerChanged) !== 0) {
      trunkServer = knownBrief(anyBrief.decode(reader, context));
    }
    const changed = (flags & membersChanged) !== 0;
    return {
      leader,
      trunkServer,
      members: changed ? members.decode(reader, context) : undefined,
    };
  },
};

function leaderBrief(leader: Endpoint | "none"): ValueOf<typeof anyBrief> {
  if (leader === "none") return nobody;
  // The id field repeats the address as far as it has room.
  return { status: 0, port: leader.port, id: leader.address.slice(0, 15), address: leader.address };
}

function knownBrief(brief: ValueOf<typeof anyBrief>): StorageBrief | "none" {
  if (brief.id === "") return "none";
  const { status, port, id, address } = brief;
  if (isStorageStatus(status) && isStorageId(id)) return { status, port, id, address };
  throw new ProtocolError("invalid", `"${id}" with status ${status} is no storage`);
}
