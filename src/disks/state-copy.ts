/**
 * A copy of what makes a node itself, as it lies on its disks: identity, and the state database as a whole. A line of JSON says what
 * follows; a copy that is cut, changed or mixed up is none. The higher `sequence` is the newer one, whatever clocks say. Pure codec.
 *
 * Whoever holds the disk holds the node's key: the file is for the node's user alone, and a lost disk is a reason to make a new identity.
 */
import { crc32 } from "node:zlib";
import { AppError } from "#base/app-error.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  parseCanonicalValue,
} from "#base/canonical-json.ts";
import { isNodeId, type NodeId } from "#model/node-id.ts";

/** Below `.cairn-disk` of a disk. */
export const stateCopyFilename = "state.copy";

const format = "cairn-state";
const version = 1;
const maxHeadBytes = 1024;
/** Larger ones are not written: a node without a catalog of many millions stays far below. */
export const maxStateBytes = 256 * 1024 * 1024;

export interface StateCopy {
  readonly nodeId: NodeId;
  /** One more each time. */
  readonly sequence: number;
  /** Unix seconds, by the node's clock. */
  readonly writtenAt: number;
  /** The text of `identity.json`. */
  readonly identity: string;
  /** The content of `state.sqlite`. */
  readonly state: Uint8Array;
}

export function formatStateCopy(copy: StateCopy): Uint8Array {
  const { nodeId, sequence, writtenAt, state } = copy;
  const identity = Buffer.from(copy.identity);
  const body = Buffer.concat([identity, state]);
  const head: JsonObject = {
    ...{ format, version, nodeId, sequence, writtenAt },
    ...{ identityBytes: identity.length, stateBytes: state.length, bodyCrc32: crc32(body) },
  };
  const sealed = canonicalJson({ ...head, headCrc32: crc32(canonicalJson(head)) });
  return Buffer.concat([Buffer.from(`${sealed}\n`), body]);
}

/** Throws `AppError("state-copy-damaged")`, and `state-copy-too-new` where another release wrote it for newer ones. */
export function parseStateCopy(bytes: Uint8Array): StateCopy {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.subarray(0, maxHeadBytes).indexOf(0x0a);
  const head = parseCanonicalValue(buffer.toString("utf8", 0, Math.max(0, end)));
  if (end < 0 || !isJsonObject(head)) throw damaged("has no head");
  const { headCrc32, ...fields } = head;
  if (headCrc32 !== crc32(canonicalJson(fields)) || fields.format !== format) {
    throw damaged("has a damaged head");
  }
  if (fields.version !== version) {
    throw new AppError(
      "state-copy-too-new",
      "the copy of the node's state was written by a newer release of Cairn: update this node first",
    );
  }
  const { nodeId, sequence, writtenAt, identityBytes, stateBytes, bodyCrc32 } = fields;
  const body = buffer.subarray(end + 1);
  if (
    typeof nodeId !== "string" ||
    !isNodeId(nodeId) ||
    !isCount(sequence) ||
    !isCount(writtenAt) ||
    !isCount(identityBytes) ||
    !isCount(stateBytes)
  ) {
    throw damaged("has a head without what belongs there");
  }
  if (body.length !== identityBytes + stateBytes || crc32(body) !== bodyCrc32) {
    throw damaged("is cut, or was changed");
  }
  return {
    ...{ nodeId, sequence, writtenAt },
    identity: body.toString("utf8", 0, identityBytes),
    state: body.subarray(identityBytes),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function damaged(what: string): AppError {
  return new AppError("state-copy-damaged", `the copy of the node's state ${what}`);
}
