/** What recorded requests between storages were pushed for: the records of the sender's binlog, and what it read of its files. */
import { crcInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { bytesOf, madeContent, type RecordedExchange } from "../../support/recordings.ts";
import { decodeRequest } from "../../support/wire-vectors.ts";
import { messageOf } from "./replay.ts";

const [create, remove, info, append, truncate, rename] = [16, 17, 22, 25, 37, 40];
const letters: Readonly<Record<number, string>> = {
  16: "C",
  17: "D",
  18: "U",
  25: "A",
  35: "M",
  37: "T",
};
const notFound = 2;

export interface Step {
  readonly kind: string;
  /** As in a binlog. */
  readonly line: string;
  readonly name: string;
  /** Of the whole file at the sender, as far as it matters. */
  readonly content: Buffer;
  /** The peer did not take the change, and was sent the file. */
  readonly whole: "create" | "replace" | undefined;
}

interface Asked {
  readonly command: number;
  readonly filename: string;
  readonly oldFilename: string;
  readonly timestamp: number;
  readonly offset: number;
  readonly length: number;
  readonly fileSize: number;
  readonly oldSize: number;
  readonly newSize: number;
  readonly headerStatus: number;
  readonly payload: Buffer;
  readonly status: number;
}

export function commandOf(exchange: RecordedExchange): number {
  return bytesOf(exchange.request).readUInt8(8);
}

/** Of one connection, or of several where no file was asked for before it was sent. */
export function stepsOf(exchanges: readonly RecordedExchange[]): readonly Step[] {
  const asked = exchanges.filter((one) => one.reply !== null && commandOf(one) !== 9).map(readOf);
  const steps: Step[] = [];
  for (let at = 0; at < asked.length; ) {
    const { step, used } = stepAt(asked, at);
    steps.push(step);
    at += used;
  }
  return steps;
}

function readOf(exchange: RecordedExchange): Asked {
  const request = bytesOf(exchange.request);
  const { value, end } = decodeRequest(messageOf(request), request, narrowAddresses);
  const status = bytesOf(exchange.reply ?? "").readUInt8(9);
  const payload = request.subarray(end);
  return { ...(value as Asked), command: request.readUInt8(8), payload, status };
}

function stepAt(all: readonly Asked[], at: number): { readonly step: Step; readonly used: number } {
  const [one, two, three, four] = all.slice(at, at + 4);
  if (one === undefined) throw new Error("nothing was asked");
  if (one.command === info && one.headerStatus === 0) {
    // Before a rename the peer is asked what it has under the old name.
    if (two?.command === rename) return { step: renamed(two, one, undefined), used: 2 };
    if (two?.command === info && three !== undefined && four?.command === remove) {
      return { step: renamed(three, one, "create"), used: 4 };
    }
    throw new Error("a question without a rename");
  }
  if (one.command === info) {
    if (two === undefined) throw new Error("a question without a file");
    return { step: changed({ ...two, command: create }, two.payload, undefined), used: 2 };
  }
  if (one.command === append && one.status === notFound && two !== undefined) {
    return { step: changed(one, two.payload, "replace"), used: 2 };
  }
  return { step: changed(one, one.payload, undefined), used: 1 };
}

function renamed(created: Asked, asked: Asked, whole: Step["whole"]): Step {
  const { filename: name, timestamp } = created;
  const line = `${timestamp} R ${name} ${asked.filename}`;
  return { kind: "R", line, name, content: contentOf(created, created.payload), whole };
}

function changed(asked: Asked, payload: Buffer, whole: Step["whole"]): Step {
  const { filename: name, timestamp } = asked;
  const kind = letters[asked.command] ?? "";
  const line = `${timestamp} ${kind} ${name}${extraOf(asked)}`;
  const content = whole === undefined ? contentOf(asked, payload) : payload;
  return { kind, line, name, content, whole };
}

function extraOf({ command, offset, length, oldSize, newSize }: Asked): string {
  if (command === truncate) return ` ${oldSize} ${newSize}`;
  return command === append || command === 35 ? ` ${offset} ${length}` : "";
}

/** A file that has what was sent of it in its place. */
function contentOf(asked: Asked, payload: Buffer): Buffer {
  const { command, offset, fileSize, headerStatus, filename } = asked;
  if (command === append || command === 35) return Buffer.concat([Buffer.alloc(offset), payload]);
  if (!(headerStatus > 0)) return payload;
  // It was not sent: any content that fits the name.
  const named = crcInName(parseRemoteFilename(filename)?.base ?? "");
  return named === undefined || fileSize === 0
    ? Buffer.alloc(fileSize)
    : madeContent(fileSize, named);
}
