/** What servers answer to the load generator: any bytes, in any portions, are a reply or break the connection. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LoadConnection } from "#client/load/load-connection.ts";
import { FileRequests, isReference, metadataRequest } from "#client/load/load-requests.ts";
import { replyCommand, writeHeader } from "#protocol/header.ts";
import { ScriptedConnection } from "../support/scripted-connection.ts";

const pattern = Buffer.alloc(1);

/** Delivers `bytes` in portions; after each reply the next request is sent at once. */
function answered(bytes: Buffer, cuts: readonly number[]): readonly string[] {
  const peer = new ScriptedConnection();
  const seen: string[] = [];
  const connection: LoadConnection = new LoadConnection(
    peer,
    {
      onReply: () => {
        const kept = connection.kept.subarray(0, Math.min(connection.length, 256));
        seen.push(`${connection.status} ${connection.length} ${kept.toString("hex")}`);
        connection.send(pattern, 0);
      },
      onBroken: (words) => seen.push(words),
    },
    pattern,
  );
  connection.checksums = true;
  connection.send(pattern, 0);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    peer.deliver(bytes.subarray(at, at + cut));
    at += cut;
  }
  return seen;
}

test("random bytes never throw, and break the connection at most once, as the last thing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(30)), (bytes, cuts) => {
      const seen = answered(Buffer.from(bytes), cuts);
      const broken = seen.filter((words) => !/^\d/.test(words));
      expect(broken.length).toBeLessThanOrEqual(1);
      if (broken.length > 0) expect(seen.at(-1)).toBe(broken[0]);
    }),
  );
});

test("replies survive any portions", () => {
  const reply = fc.record({ status: fc.nat(255), body: fc.uint8Array({ maxLength: 600 }) });
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.array(fc.nat(300)), (replies, cuts) => {
      const bytes = replies.map(({ status, body }) => {
        const frame = Buffer.alloc(10 + body.length);
        writeHeader(frame, 0, { length: body.length, command: replyCommand, status });
        frame.set(body, 10);
        return frame;
      });
      const expected = replies.map(({ status, body }) => {
        const kept = Buffer.from(body.subarray(0, 256)).toString("hex");
        return `${status} ${body.length} ${kept}`;
      });
      expect(answered(Buffer.concat(bytes), cuts)).toEqual(expected);
    }),
  );
});

test("of whatever is taken for a name, requests can be made", () => {
  const printable = fc.integer({ min: 0x21, max: 0x7e });
  const byte = fc.oneof(
    { arbitrary: printable, weight: 100 },
    { arbitrary: fc.nat(255), weight: 1 },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 256 }), fc.nat(16), (list, width) => {
      const reference = Buffer.from(list.map((one, at) => (at >= width && at < 16 ? 0 : one)));
      if (!isReference(reference)) return;
      expect(metadataRequest(reference).bytes.length).toBeGreaterThan(reference.length);
      const { bytes } = new FileRequests("download").about(reference);
      expect(Buffer.from(bytes.subarray(-reference.length))).toEqual(reference);
    }),
  );
});
