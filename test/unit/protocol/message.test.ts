import { expect, test } from "vitest";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { size, struct, u8 } from "#protocol/codecs.ts";
import { downloadMessage, message, nothing, uploadMessage } from "#protocol/message.ts";
import { body, decoded } from "../../support/wire-bytes.ts";

const one = struct({ value: u8 });
const surplus = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });

test("a message that fits into memory insists on its whole body", () => {
  const plain = message({ name: "plain", command: 1, request: one, reply: nothing });
  expect(plain).toMatchObject({ stream: "none", oneWay: false, payloadSize: undefined });
  expect(decoded(plain.request, body(1))).toEqual({ value: 1 });
  expect(() => decoded(plain.request, body(1, 2))).toThrow(surplus);
  expect(() => decoded(plain.reply, body(1))).toThrow(surplus);
});

test("an upload leaves its payload and tells how much there is", () => {
  const upload = uploadMessage({
    name: "upload",
    command: 2,
    request: struct({ length: size }),
    reply: nothing,
    payloadSize: (request) => request.length,
  });
  const reader = new WireReader(body({ i64: 3 }, "abc"));
  const request = upload.request.decode(reader, narrowAddresses);
  expect([upload.stream, upload.payloadSize(request), reader.remaining]).toEqual(["request", 3, 3]);
  expect(() => decoded(upload.reply, body(1))).toThrow(surplus);
});

test("a download insists on its request and has no reply of its own", () => {
  const download = downloadMessage({ name: "download", command: 3, request: one });
  expect(download.stream).toBe("reply");
  expect(() => decoded(download.request, body(1, 2))).toThrow(surplus);
  expect(decoded(download.reply, body())).toBeUndefined();
});
