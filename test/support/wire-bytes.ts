/** Short ways from values to body bytes and back, and bodies written as they look in the protocol's description. */
import {
  type Codec,
  narrowAddresses,
  type WireContext,
  WireReader,
  WireWriter,
} from "#protocol/codec.ts";

/** The body that `codec` writes. */
export function encoded<T>(
  codec: Codec<T>,
  value: T,
  context: WireContext = narrowAddresses,
): Buffer {
  const writer = new WireWriter(16);
  codec.encode(value, writer, context);
  return Buffer.from(writer.bytes());
}

/** What `codec` reads from a body. */
export function decoded<T>(
  codec: Codec<T>,
  body: Uint8Array,
  context: WireContext = narrowAddresses,
): T {
  return codec.decode(new WireReader(body), context);
}

/** Numbers are bytes, texts ASCII, `[text, width]` fields padded with NUL, and `{ i64 }` or `{ i32 }` integers. */
export type Part =
  | number
  | string
  | readonly [string, number]
  | { readonly i64: number }
  | { readonly i32: number };

export function body(...parts: readonly Part[]): Buffer {
  const writer = new WireWriter();
  for (const part of parts) {
    if (typeof part === "number") writer.u8(part);
    else if (typeof part === "string") writer.raw(Buffer.from(part, "latin1"));
    else if ("i64" in part) writer.i64(part.i64);
    else if ("i32" in part) writer.i32(part.i32);
    else writer.paddedText(part[0], part[1]);
  }
  return Buffer.from(writer.bytes());
}
