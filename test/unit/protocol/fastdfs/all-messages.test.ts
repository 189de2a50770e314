/**
 * Goal: our codecs and the wire agree in both directions for every message of FastDFS. Method: each exchange of the vectors,
 * most of them taken from the wire of the reference, decodes to the value written beside it, and encodes back to the same bytes
 * where the sender left no garbage in its padding.
 */
import { expect, test } from "vitest";
import { WireReader } from "#protocol/codec.ts";
import { commands } from "#protocol/commands.ts";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { headerSize } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { readVectorFiles } from "../../../support/wire-vector-files.ts";
import {
  decodeRequest,
  encodeReply,
  encodeRequest,
  fromJson,
  toJson,
  vectorContext,
} from "../../../support/wire-vectors.ts";

const files = readVectorFiles();
const messages: Readonly<Record<string, AnyMessage>> = allMessages;
const exchanges = files.flatMap((file) =>
  file.vectors.map((vector) => {
    const message = messages[file.name];
    if (message === undefined) throw new Error(`vectors of an unknown message ${file.name}`);
    return { message, vector, context: vectorContext(vector) };
  }),
);

test("every message is declared under its name, with its number", () => {
  const declared = Object.entries(messages).map(([key, { name, command }]) => [key, name, command]);
  const numbered = Object.entries(commands).map(([name, command]) => [name, name, command]);
  expect(declared.sort()).toEqual(numbered.sort());
});

test("every message has a request and, unless it is never answered, a successful reply from the wire or by hand", () => {
  const answered = files.filter(({ vectors }) =>
    vectors.some(({ reply }) => reply !== null && reply.frame.slice(18, 20) === "00"),
  );
  const missing = Object.keys(messages).filter(
    (name) => !answered.some((file) => file.name === name),
  );
  expect(missing).toEqual(["quit"]);
  expect(files.find(({ name }) => name === "quit")?.vectors).not.toEqual([]);
});

test("the requests of the vectors decode to their values, and leave the payload alone", () => {
  for (const { message, vector, context } of exchanges) {
    const frame = Buffer.from(vector.request.frame, "hex");
    if (vector.request.refused) {
      expect(() => decodeRequest(message, frame, context)).toThrow(ProtocolError);
      continue;
    }
    const { value, end } = decodeRequest(message, frame, context);
    const found = { value: toJson(value), payloadSize: frame.length - end };
    const { value: expected, payloadSize } = vector.request;
    expect(found, `${message.name} ${vector.note}`).toEqual({ value: expected, payloadSize });
    if (message.stream === "request") expect(message.payloadSize?.(value)).toBe(payloadSize);
  }
});

test("the replies of the vectors decode to their values", () => {
  for (const { message, vector, context } of exchanges) {
    if (vector.reply === null || vector.reply.value === null) continue;
    const frame = Buffer.from(vector.reply.frame, "hex");
    const value: unknown = message.reply.decode(new WireReader(frame, headerSize), context);
    expect(toJson(value), `${message.name} ${vector.note}`).toEqual(vector.reply.value);
  }
});

test("values encode to the bytes of the vectors", () => {
  for (const { message, vector, context } of exchanges) {
    const { request, reply } = vector;
    if (request.exact) {
      const bytes = encodeRequest(message, fromJson(request.value), context);
      const head = request.frame.slice(0, request.frame.length - 2 * request.payloadSize);
      expect(bytes.toString("hex"), `${message.name} ${vector.note}`).toBe(head);
    }
    if (reply?.exact === true && reply.value !== null) {
      const bytes = encodeReply(message, fromJson(reply.value), context);
      expect(bytes.toString("hex"), `${message.name} ${vector.note}`).toBe(reply.frame);
    }
  }
});

test("replies of both address widths are recognised by their length, whatever the client expects", () => {
  for (const { message, vector } of exchanges) {
    if (vector.reply === null || vector.reply.value === null || vector.release !== undefined)
      continue;
    const frame = Buffer.from(vector.reply.frame, "hex");
    for (const width of [16, 46] as const) {
      const reader = new WireReader(frame, headerSize);
      const value: unknown = message.reply.decode(reader, { addressWidth: width });
      expect(toJson(value), `${message.name} ${vector.note}`).toEqual(vector.reply.value);
    }
  }
});
