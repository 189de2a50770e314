/** Whatever a message may say arrives as it was said, in both address widths. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { narrowAddresses, WireReader, WireWriter, wideAddresses } from "#protocol/codec.ts";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { headerSize } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { wireValues } from "../../../support/wire-values.ts";
import { decodeRequest, encodeRequest } from "../../../support/wire-vectors.ts";

const runs = 30;
const contexts = [narrowAddresses, wideAddresses];

for (const [name, message] of Object.entries(allMessages) as [string, AnyMessage][]) {
  const values = wireValues[name as keyof typeof allMessages];

  test(`${name}: every request arrives as it was sent`, () => {
    const property = fc.property(values.request, (value) => {
      for (const context of contexts) {
        const frame = encodeRequest(message, value, context);
        expect(decodeRequest(message, frame, context)).toEqual({ value, end: frame.length });
      }
    });
    fc.assert(property, { numRuns: runs });
  });

  test(`${name}: every reply arrives as it was sent`, () => {
    const property = fc.property(values.reply, (value) => {
      for (const context of contexts) {
        const writer = new WireWriter();
        writer.zeros(headerSize);
        message.reply.encode(value, writer, context);
        const reader = new WireReader(writer.bytes(), headerSize);
        expect(message.reply.decode(reader, context)).toEqual(value);
        expect(reader.remaining).toBe(0);
      }
    });
    fc.assert(property, { numRuns: runs });
  });
}
