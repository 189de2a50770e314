/**
 * What the tables of odd requests consist of, and how one row is played: the request goes out as it is, then an ACTIVE_TEST, which
 * shows what became of the connection.
 */
import { type Frame, frame, type Place, RawConnection } from "../../support/raw-connection.ts";
import { body } from "../../support/wire-bytes.ts";

/**
 * What is stored for a row: nothing; a file of 26 bytes; an appender file of as many; the same with metadata `a=1`; a file of no
 * bytes; an appender file of no bytes; a file that has a slave with prefix `_s` and extension `txt`; a name that has no file.
 */
export type On =
  | "nothing"
  | "normal"
  | "appender"
  | "described"
  | "empty"
  | "empty-appender"
  | "master"
  | "missing";

export interface OddRequest {
  readonly says: string;
  readonly on: On;
  /** All bytes that are sent, given the name of the file. */
  readonly request: (name: string) => Buffer;
  /**
   * What comes back and what becomes of the connection: `22 open`, `22 closed`, `0+26 open` with a body of 26 bytes, `closed`
   * without a reply, `waits` for more bytes, `2 lost` where the next request on the connection stays without its answer.
   */
  readonly expect: string;
  /**
   * What C FastDFS 6.16.1 does where that differs, and why ours does not follow; `-` where C crashes or leaves it to chance, so
   * that the row is not played against it. Not said again in every row: where a storage of ours answers `22 open`, C's answers
   * `22 closed`; the pools of the Java and Go clients hand such a connection out again, and the next operation fails.
   */
  readonly reference?: string;
  readonly why?: string;
  /** The content of the file afterwards; the 26 letters where it is not given. */
  readonly leaves?: string;
  /** The metadata of the file afterwards; `"none"`, or the text. */
  readonly leavesMetadata?: string;
  /** The content or the metadata that C leaves where that differs. */
  readonly referenceLeaves?: string;
}

export const group: readonly [string, number] = ["group1", 16];
export const letters = "abcdefghijklmnopqrstuvwxyz";

const replyLimitMs = 5000;
/** How long a server that answers within a millisecond is waited for before it counts as waiting. */
const silenceMs = 400;
const activeTest = 111;

export async function outcome(place: Place, request: Buffer): Promise<string> {
  const connection = await RawConnection.connect(place);
  try {
    await connection.write(request);
    const reply = await connection.frame(silenceMs);
    if (reply === "closed") return "closed";
    if (reply === "silent") return "waits";
    const size = reply.body.length === 0 ? "" : `+${reply.body.length}`;
    return `${reply.status}${size} ${await aftermath(connection)}`;
  } finally {
    connection.destroy();
  }
}

async function aftermath(connection: RawConnection): Promise<string> {
  // A server that closes after its reply needs a moment for it.
  if (await connection.endsWithin(20)) return "closed";
  await connection.write(frame(activeTest));
  const reply = await connection.frame(silenceMs);
  if (reply === "closed") return "closed";
  if (reply === "silent" || reply.status !== 0 || reply.body.length > 0) return "lost";
  return "open";
}

/** Stores what a row wants, and gives the name of it. */
export async function prepare(storage: Place, on: On): Promise<string> {
  if (on === "nothing") return "";
  const isAppender = on === "appender" || on === "empty-appender";
  const content = on === "empty" || on === "empty-appender" ? "" : letters;
  const upload = body(0, { i64: content.length }, ["txt", 6], content);
  const stored = await ask(storage, frame(isAppender ? 23 : 11, upload));
  const name = stored.body.toString("latin1", 16);
  if (on === "described") await writeMetadata(storage, name, "a\x021");
  if (on === "master") {
    const slave = body({ i64: name.length }, { i64: 1 }, ["_s", 16], ["txt", 6], name, "s");
    await ask(storage, frame(21, slave));
  }
  if (on === "missing") await ask(storage, frame(12, body(group, name)));
  return name;
}

export async function contentOf(storage: Place, name: string): Promise<string> {
  const request = frame(14, body({ i64: 0 }, { i64: 0 }, group, name));
  const reply = await exchange(storage, request);
  return reply.status === 0 ? reply.body.toString("latin1") : `status ${reply.status}`;
}

export async function metadataOf(storage: Place, name: string): Promise<string> {
  const reply = await exchange(storage, frame(15, body(group, name)));
  if (reply.status === 2) return "none";
  return reply.status === 0 ? reply.body.toString("latin1") : `status ${reply.status}`;
}

async function writeMetadata(storage: Place, name: string, text: string): Promise<void> {
  const lengths = [{ i64: name.length }, { i64: text.length }] as const;
  await ask(storage, frame(13, body(...lengths, "O", group, name, text)));
}

async function ask(place: Place, request: Buffer): Promise<Frame> {
  const reply = await exchange(place, request);
  if (reply.status !== 0) throw new Error(`command ${request[8]} was answered ${reply.status}`);
  return reply;
}

async function exchange(place: Place, request: Buffer): Promise<Frame> {
  const connection = await RawConnection.connect(place);
  try {
    await connection.write(request);
    const reply = await connection.frame(replyLimitMs);
    if (typeof reply === "string") throw new Error(`command ${request[8]}: ${reply}`);
    return reply;
  } finally {
    connection.destroy();
  }
}
