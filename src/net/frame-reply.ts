/** Replies that fit into memory, header and body in one buffer: clients may read only once (protocol §1.1). Pure. */
import { type WireContext, WireWriter } from "#protocol/codec.ts";
import { headerSize, replyCommand, writeHeader } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";

/** Most replies are shorter than this, in bytes. */
const usualReplyBytes = 128;

/** Throws what the codec throws, where `reply` cannot be written. */
export function replyFrame(message: AnyMessage, reply: unknown, context: WireContext): Buffer {
  const writer = new WireWriter(usualReplyBytes);
  writer.zeros(headerSize);
  message.reply.encode(reply, writer, context);
  const bytes = writer.bytes();
  const length = bytes.length - headerSize;
  writeHeader(bytes, 0, { length, command: replyCommand, status: 0 });
  return bytes;
}

/** A bare header, as every refusal is. */
export function statusFrame(status: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerSize);
  writeHeader(bytes, 0, { length: 0, command: replyCommand, status });
  return bytes;
}
