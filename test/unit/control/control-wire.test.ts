/** Lines of JSON on the control socket. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import {
  encodeMessage,
  failureOf,
  LineSplitter,
  parseReply,
  parseRequest,
} from "#control/control-wire.ts";

const malformed = expect.objectContaining({ code: "control-malformed" });

test("messages survive the way", () => {
  const request = { id: 7, operation: "status", input: { a: "ü\n" } };
  const line = String(encodeMessage(request));
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(parseRequest(line)).toEqual(request);
  for (const reply of [
    { id: 1, ok: true, output: [1] },
    { id: 2, ok: false, error: { code: "x", message: "y", details: { z: 1 } } },
  ] as const) {
    expect(parseReply(String(encodeMessage(reply)))).toEqual(reply);
  }
});

test("an input may be left out", () => {
  expect(parseRequest('{"id":1,"operation":"status"}').input).toEqual({});
});

test.each([
  "",
  "{",
  "[]",
  '{"id":-1,"operation":"x"}',
  '{"id":1,"operation":5}',
  '{"id":1,"operation":"x","more":1}',
  `{"id":1,"operation":"${"x".repeat(200)}"}`,
])("%j is no request", (line) => {
  expect(() => parseRequest(line)).toThrow(malformed);
});

test("a reply without output or error is none", () => {
  expect(() => parseReply('{"id":1,"ok":false}')).toThrow(malformed);
  expect(() => parseReply('{"id":1}')).toThrow(malformed);
});

test("lines are cut from any portions, up to a limit", () => {
  const splitter = new LineSplitter(10);
  const lines: string[] = [];
  for (const byte of Buffer.from("ab\n\r\ncü\n")) lines.push(...splitter.push(Buffer.from([byte])));
  expect(lines).toEqual(["ab", "cü"]);
  expect(splitter.push(Buffer.from("1234567890\n12"))).toEqual(["1234567890"]);
  expect(() => splitter.push(Buffer.from("345678901"))).toThrow(malformed);
});

test("only errors with a code are told", () => {
  expect(failureOf(new AppError("full", "no room", { details: { path: 1 } }))).toEqual({
    code: "full",
    message: "no room",
    details: { path: 1 },
  });
  expect(failureOf(new Error("secret"))).toEqual({
    code: "internal-error",
    message: "the daemon failed; its log says why",
  });
});
