import { expect, test } from "vitest";
import { ProtocolError } from "#protocol/protocol-error.ts";

test("it says whether more bytes could mend it", () => {
  const error = new ProtocolError("short", "2 bytes are missing");
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toMatchObject({
    reason: "short",
    name: "ProtocolError",
  });
});
