/**
 * Sends files of their own to sockets that the main thread lent, without reading them into memory of ours. Packed files never go this
 * way: a slot may be given to another file while its pages wait in the socket. Worker thread.
 */
import { blockDataOffset } from "#filestore/block-pool.ts";
import type { DirectClaims } from "#filestore/direct-claims.ts";
import { directPieceBytes, directTurnBytes } from "#filestore/worker/limits.ts";
import type { FileDescriptor } from "#platform/files.ts";
import type { SocketWriter } from "#platform/lent-sockets.ts";

/** Where an answer goes. */
export interface DirectAnswer {
  readonly socket: number;
  /** The block that came with it. */
  readonly block: number;
  /** Of the header directly in front of the block's data; 0 where it was sent. */
  readonly front: number;
}

export interface FilePart {
  readonly descriptor: FileDescriptor;
  readonly position: number;
  readonly length: number;
}

export interface SentPart {
  /** Of header and content. */
  readonly sent: number;
  /** The socket took less than it was offered: it is full or gone, or the file ended or failed. Whoever goes on finds out. */
  readonly isFull: boolean;
}

export interface DirectWriterParts {
  readonly sockets: SocketWriter;
  readonly claims: DirectClaims;
  /** Somebody waits for this thread. */
  readonly isWanted: () => boolean;
}

export class DirectWriter {
  readonly #parts: DirectWriterParts;

  constructor(parts: DirectWriterParts) {
    this.#parts = parts;
  }

  /** Header and content, as far as the socket has room, and no more than a turn's worth where others wait. */
  send({ socket, block, front }: DirectAnswer, part: FilePart): SentPart {
    const { sockets, claims, isWanted } = this.#parts;
    if (!claims.claim(block)) return { sent: 0, isFull: true };
    if (front > 0) {
      const offset = blockDataOffset(block) - front;
      const sent = sockets.send(socket, { offset, length: front, more: true });
      if (sent < front) return { sent, isFull: true };
    }
    const { descriptor, length } = part;
    let sent = 0;
    while (sent < length && (sent === 0 || (sent < directTurnBytes && !isWanted()))) {
      const wanted = Math.min(length - sent, directPieceBytes);
      const range = { position: part.position + sent, length: wanted };
      const count = sockets.sendFile(socket, descriptor, range);
      sent += count;
      if (count < wanted) return { sent: front + sent, isFull: true };
    }
    return { sent: front + sent, isFull: false };
  }
}
