/** The control socket's lines: random bytes and nearly right messages are refused with one error, in any portions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { encodeMessage, LineSplitter, parseReply, parseRequest } from "#control/control-wire.ts";

function refusesOrReads(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe("control-malformed");
  }
}

test("any text is a message or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      refusesOrReads(() => parseRequest(line));
      refusesOrReads(() => parseReply(line));
    }),
  );
});

test("requests survive any portions", () => {
  const request = fc.record({
    id: fc.nat(),
    operation: fc.string({ maxLength: 100 }),
    input: fc.dictionary(fc.string(), fc.jsonValue()),
  });
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (requests, cuts) => {
        const bytes = Buffer.concat(requests.map((one) => encodeMessage(one)));
        const splitter = new LineSplitter(1_000_000);
        const lines: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          lines.push(...splitter.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        const expected = requests.map((one) => JSON.parse(JSON.stringify(one)));
        expect(lines.map((line) => JSON.parse(JSON.stringify(parseRequest(line))))).toEqual(
          expected,
        );
      },
    ),
  );
});

test("any bytes are lines or too long", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (portions) => {
      const splitter = new LineSplitter(80);
      refusesOrReads(() => {
        for (const portion of portions) {
          for (const line of splitter.push(portion)) expect(line).not.toContain("\n");
        }
      });
    }),
  );
});
