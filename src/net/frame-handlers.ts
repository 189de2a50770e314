/**
 * What a server implements: one function for each message of a family, typed by the declaration. A missing handler, a
 * surplus one or a wrong reply does not compile.
 */
import type { ByteFlow, ByteSource } from "#net/byte-flow.ts";
import type { FrameSession } from "#net/frame-session.ts";
import type { AnyMessage, Message, MessageFamily } from "#protocol/message.ts";

/** A message without a reply's body is answered by returning. */
// biome-ignore lint/suspicious/noConfusingVoidType: handlers that return nothing are meant.
type Answer<Reply> = [Reply] extends [undefined] ? void : Reply;

type Handler<M, Facts> =
  M extends Message<infer Request, infer Reply, infer Stream>
    ? Stream extends "request"
      ? (request: Request, session: FrameSession<Facts>, body: ByteFlow) => Promise<Answer<Reply>>
      : Stream extends "reply"
        ? (request: Request, session: FrameSession<Facts>) => Promise<ByteSource>
        : (request: Request, session: FrameSession<Facts>) => Answer<Reply> | Promise<Answer<Reply>>
    : never;

export type Handlers<Family extends MessageFamily, Facts = undefined> = {
  readonly [Name in keyof Family]: Handler<Family[Name], Facts>;
};

/** A handler whose types were checked where it was declared. */
export type UntypedHandler<Facts> = (
  request: unknown,
  session: FrameSession<Facts>,
  body: ByteFlow | undefined,
) => unknown;

export interface HandlerEntry<Facts> {
  readonly message: AnyMessage;
  readonly handle: UntypedHandler<Facts>;
}

/** Adds a family and its handlers to a table by command number. */
export function addHandlers<Family extends MessageFamily, Facts>(
  table: Map<number, HandlerEntry<Facts>>,
  family: Family,
  handlers: Handlers<Family, Facts>,
): void {
  for (const [name, message] of Object.entries(family)) {
    const handle = handlers[name as keyof Family] as unknown as UntypedHandler<Facts>;
    table.set(message.command, { message, handle });
  }
}
