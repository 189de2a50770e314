/**
 * Sends a payload behind its header, one piece on the way at a time: the source may read the next one meanwhile, and a peer
 * that takes nothing holds no more than that. Where the source left room in front of the first piece, the header goes there
 * and both leave in one write; some clients read a reply only once (protocol §1.1).
 */
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { Connection } from "#platform/network.ts";
import { headerSize, writeHeader } from "#protocol/header.ts";

export interface SendOptions {
  readonly headerCommand: number;
  /** Called whenever the peer has taken something. */
  readonly progress: () => void;
}

/** Resolves when all was handed to the kernel; rejects when the source fails or the connection is gone. */
export async function sendSource(
  connection: Connection,
  source: ByteSource,
  options: SendOptions,
): Promise<void> {
  const header = { length: source.length, command: options.headerCommand, status: 0 };
  let inFlight = 0;
  let sent = 0;
  let wake: (() => void) | undefined;
  const write = (bytes: Uint8Array, piece: Piece): void => {
    inFlight += 1;
    connection.write(bytes, () => {
      inFlight -= 1;
      piece.release();
      options.progress();
      wake?.();
    });
  };
  for (let first = true; ; first = false) {
    const piece = await source.next();
    if (piece === undefined) {
      if (first) connection.write(headerBytes(header));
      break;
    }
    sent += piece.bytes.length;
    if (first) writeWithHeader(connection, piece, { header, write });
    else write(piece.bytes, piece);
    while (inFlight > 0 && connection.unsentBytes > 0 && !connection.closed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (connection.closed) throw netError("flow-broken", "the peer left while a reply was sent");
    if (sent >= source.length) break;
  }
  if (sent !== source.length) {
    throw netError("flow-broken", `the source gave ${sent} of ${source.length} bytes`);
  }
  source.close();
}

interface HeaderFields {
  readonly length: number;
  readonly command: number;
  readonly status: number;
}

function headerBytes(header: HeaderFields): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerSize);
  writeHeader(bytes, 0, header);
  return bytes;
}

function writeWithHeader(
  connection: Connection,
  piece: Piece,
  how: { readonly header: HeaderFields; readonly write: (bytes: Uint8Array, piece: Piece) => void },
): void {
  if (piece.room >= headerSize) {
    const { buffer, byteOffset, byteLength } = piece.bytes;
    const framed = new Uint8Array(buffer, byteOffset - headerSize, byteLength + headerSize);
    writeHeader(framed, 0, how.header);
    how.write(framed, piece);
    return;
  }
  connection.cork();
  connection.write(headerBytes(how.header));
  how.write(piece.bytes, piece);
  connection.uncork();
}
