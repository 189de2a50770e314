/** Replies that no handler makes. */
import { expect, test } from "vitest";
import { earlyRefusal, ownResponse } from "#net/http-refusal.ts";

test("each failure of the parser has its status, in a whole message", () => {
  const statuses = [
    "HPE_HEADER_OVERFLOW",
    "ERR_HTTP_REQUEST_TIMEOUT",
    "HPE_CHUNK_EXTENSIONS_OVERFLOW",
    "HPE_INVALID_METHOD",
    undefined,
  ].map((code) => earlyRefusal(code).split(" ")[1]);
  expect(statuses).toEqual(["431", "408", "413", "400", "400"]);
});

test("the message is JSON of the announced length, and ends the connection", () => {
  const [head = "", body = ""] = earlyRefusal("HPE_INVALID_TOKEN").split("\r\n\r\n");
  expect(head.split("\r\n")).toContain("Connection: close");
  expect(head).toContain(`Content-Length: ${body.length}`);
  expect(JSON.parse(body)).toEqual({
    error: { code: "request-invalid", message: expect.any(String) },
  });
});

test("the server's own replies have a body, too", () => {
  const codes = [431, 500].map((status) => {
    const { body } = ownResponse(status);
    return JSON.parse(Buffer.from(body as Uint8Array).toString()).error.code;
  });
  expect(codes).toEqual(["request-invalid", "internal"]);
});
