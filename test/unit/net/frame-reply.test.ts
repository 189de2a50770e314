/** Replies as they leave. */
import { expect, test } from "vitest";
import { replyFrame, statusFrame } from "#net/frame-reply.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import { headerBytes, okReply } from "../../support/frame-fixture.ts";

test("header and body are one buffer, and the header tells the body's length", () => {
  const reply = { fileSize: 5, modifiedAt: 6, crc32: 7, sourceAddress: "10.0.0.1" };
  const bytes = replyFrame(queryFileInfo, reply, narrowAddresses);
  expect(bytes.subarray(0, 10)).toEqual(headerBytes(40, 100, 0));
  expect(bytes.length).toBe(50);
  expect(replyFrame(common.activeTest, undefined, narrowAddresses)).toEqual(okReply);
});

test("a refusal is a bare header", () => {
  expect(statusFrame(22)).toEqual(headerBytes(0, 100, 22));
});
