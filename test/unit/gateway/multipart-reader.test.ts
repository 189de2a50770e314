/** Forms part by part: what browsers, curl and cameras send, and what no one should. */
import { expect, test } from "vitest";
import { collectBody } from "#gateway/bounded-body.ts";
import { type MultipartPart, multipartBoundary, readMultipart } from "#gateway/multipart-reader.ts";
import { type BodySource, chunkedBody } from "../../support/chunked-body.ts";
import { formBody, formBoundary } from "../../support/gateway-fixture.ts";
import { turns } from "../../support/settled.ts";

interface Read {
  readonly parts: readonly string[];
  readonly outcome: string;
}

/** The parts as `name|filename|type|content`, and how the reading ended. */
async function read(form: Uint8Array, chunkBytes = form.length, maxParts = 10): Promise<Read> {
  const parts: string[] = [];
  const outcome = await readMultipart({
    body: chunkedBody(form, { chunkBytes }),
    boundary: formBoundary,
    maxParts,
    onPart: async (part) => {
      const content = await collectBody(part.body, 1e6);
      const { parameters } = part.disposition;
      const facts = [parameters.get("name"), parameters.get("filename"), part.contentType, content];
      parts.push(facts.map((fact) => fact?.toString() ?? "-").join("|"));
    },
  }).then(
    () => "done",
    (error: { code: string }) => error.code,
  );
  return { parts, outcome };
}

const ordinary = formBody([
  { name: "title", content: "hello" },
  { name: "file", filename: "a.jpg", type: "image/jpeg", content: "\r\n--\r\nnot the end\r\n-" },
  { name: "empty", filename: "", type: "application/octet-stream", content: "" },
]);

test("the parts of a form come in order, however the bytes are cut", async () => {
  const whole = await read(ordinary);
  expect(whole).toEqual({
    parts: [
      "title|-|-|hello",
      "file|a.jpg|image/jpeg|\r\n--\r\nnot the end\r\n-",
      "empty||application/octet-stream|",
    ],
    outcome: "done",
  });
  for (const chunkBytes of [1, 2, 3, 7, 64]) {
    expect(await read(ordinary, chunkBytes)).toEqual(whole);
  }
});

test("parts without name, disposition or any header are parts", async () => {
  const form = formBody([
    { content: "bare" },
    { type: "image/jpeg", content: "picture" },
    { filename: "x", content: "named" },
  ]);
  expect((await read(form, 5)).parts).toEqual([
    "-|-|-|bare",
    "-|-|image/jpeg|picture",
    "-|x|-|named",
  ]);
});

test("preamble and epilogue are nobody's", async () => {
  const form = Buffer.concat([Buffer.from("hello\r\n"), ordinary, Buffer.from("--\r\nbye")]);
  const { parts, outcome } = await read(form, 10);
  expect([parts.length, outcome]).toEqual([3, "done"]);
});

test("names of parts are UTF-8", async () => {
  const { parts } = await read(formBody([{ name: "ü", filename: "€.txt", content: "x" }]));
  expect(parts).toEqual(["ü|€.txt|-|x"]);
});

test("a form without its end, or that is none, is malformed", async () => {
  const cut = ordinary.subarray(0, ordinary.length - 8);
  expect((await read(cut)).outcome).not.toBe("done");
  expect((await read(ordinary.subarray(0, 120), 11)).outcome).not.toBe("done");
  expect((await read(Buffer.from("no form at all"))).outcome).toBe("peer-misbehaved");
  expect((await read(Buffer.alloc(0))).outcome).toBe("peer-misbehaved");
  expect((await read(Buffer.from(`--${formBoundary}--\r\n`))).outcome).toBe("done");
});

test("a body that breaks ends the part that is being read", async () => {
  const body = chunkedBody(ordinary.subarray(0, 215), { chunkBytes: 50, breaks: true });
  const codes: string[] = [];
  const reading = readMultipart({
    body,
    boundary: formBoundary,
    maxParts: 10,
    onPart: async (part) => {
      await collectBody(part.body, 1e6).catch((error: { code: string }) => {
        codes.push(error.code);
        throw error;
      });
    },
  });
  await expect(reading).rejects.toMatchObject({ code: "flow-broken" });
  expect(codes).toEqual(["flow-broken"]);
});

test("a reading that fails ends after what was being made of a part, which may have been whole", async () => {
  const form = formBody([
    { name: "a", content: "1" },
    { name: "b", content: "2" },
  ]);
  const events: string[] = [];
  await readMultipart({
    body: chunkedBody(form, { chunkBytes: form.length }),
    boundary: formBoundary,
    maxParts: 1,
    onPart: async (part) => {
      await collectBody(part.body, 10).catch(() => events.push("broken"));
      await turns(20);
      events.push("made");
    },
  }).catch(() => events.push("failed"));
  expect(events.at(-1)).toBe("failed");
  expect(events).toContain("made");
});

test("too many parts are refused", async () => {
  const form = formBody(Array.from({ length: 11 }, () => ({ name: "a", content: "b" })));
  expect((await read(form)).outcome).toBe("peer-misbehaved");
  expect((await read(form, 20, 11)).outcome).toBe("done");
});

test("what a taker refuses ends the reading, and the rest of the body is not kept", async () => {
  const body = chunkedBody(ordinary, { chunkBytes: 20 });
  const reading = readMultipart({
    body,
    boundary: formBoundary,
    maxParts: 10,
    onPart: async () => {
      throw new Error("refused");
    },
  });
  await expect(reading).rejects.toThrow("refused");
});

test("parts that nobody reads are skipped", async () => {
  const names: (string | undefined)[] = [];
  await readMultipart({
    body: chunkedBody(ordinary, { chunkBytes: 16 }),
    boundary: formBoundary,
    maxParts: 10,
    onPart: async ({ disposition }: MultipartPart) => {
      names.push(disposition.parameters.get("name"));
    },
  });
  expect(names).toEqual(["title", "file", "empty"]);
});

test("a slow taker slows the sender down: no more than a few chunks are on the way", async () => {
  const size = 4 * 1024 * 1024;
  const form = formBody([{ name: "file", filename: "big", content: Buffer.alloc(size, "x") }]);
  const body: BodySource = chunkedBody(form, { chunkBytes: 64 * 1024 });
  let taken = 0;
  let most = 0;
  await readMultipart({
    body,
    boundary: formBoundary,
    maxParts: 10,
    onPart: async (part) => {
      await part.body.drainTo({
        write: (chunk) => {
          taken += chunk.length;
          most = Math.max(most, body.sentBytes - taken);
          void turns(2).then(() => part.body.resume());
          return false;
        },
      });
    },
  });
  expect(taken).toBe(size);
  expect(most).toBeLessThan(300 * 1024);
});

test("boundaries are taken from the content type", () => {
  const of = (contentType: string): string | undefined =>
    multipartBoundary(contentType, "multipart/form-data");
  expect(of("multipart/form-data; boundary=abc")).toBe("abc");
  expect(of('Multipart/Form-Data; charset=utf-8; boundary="a b;c"')).toBe("a b;c");
  expect(of("multipart/form-data")).toBeUndefined();
  expect(of("multipart/mixed; boundary=abc")).toBeUndefined();
  expect(of(`multipart/form-data; boundary=${"x".repeat(201)}`)).toBeUndefined();
});
