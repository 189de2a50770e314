/** Whatever clients send, the gateway's parsers end, and what they let through keeps the promises that others rely on. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { collectBody } from "#gateway/bounded-body.ts";
import { decideRanges } from "#gateway/byte-range.ts";
import { attachment } from "#gateway/content-disposition.ts";
import { parseEntityTags } from "#gateway/entity-tag.ts";
import { dispositionFilename, parseParameters } from "#gateway/header-parameters.ts";
import { metadataFromJson, metadataText, metadataToObject } from "#gateway/metadata-json.ts";
import { chooseMetricsFormat } from "#gateway/metrics-format.ts";
import { readMultipart } from "#gateway/multipart-reader.ts";
import { fileAddressOf } from "#gateway/request-path.ts";
import { readUploadOptions, suggestedExtension } from "#gateway/upload-options.ts";
import { GroupName } from "#model/group-name.ts";
import { parseHttpDate } from "#net/http-date.ts";
import { splitTarget } from "#net/http-target.ts";
import { chunkedBody } from "../support/chunked-body.ts";
import { type FormPart, formBody, formBoundary } from "../support/gateway-fixture.ts";

const group = GroupName("group1");
const name = "M01/00/A0/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const readingLimitMs = 2000;

/** Texts made of what the grammar at hand consists of, with noise between. */
function textOf(...tokens: readonly string[]): fc.Arbitrary<string> {
  const token = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
    { weight: 1, arbitrary: fc.nat().map(String) },
  );
  return fc.array(token, { maxLength: 30 }).map((parts) => parts.join(""));
}

test("a Range header never leads out of the file, nor to more than the file", () => {
  const header = textOf("bytes", "=", "-", ",", " ", "0", "9", "99999999999999999999");
  const size = fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat());
  fc.assert(
    fc.property(header, size, (text, sizeBytes) => {
      const decision = decideRanges(text.startsWith("b") ? text : `bytes=${text}`, sizeBytes);
      if (decision.kind !== "ranges") return;
      let total = 0;
      for (const { first, last } of decision.ranges) {
        expect(Number.isSafeInteger(first) && Number.isSafeInteger(last)).toBe(true);
        expect(0 <= first && first <= last && last < sizeBytes).toBe(true);
        total += last - first + 1;
      }
      expect(decision.ranges.length).toBeGreaterThan(0);
      expect(decision.ranges.length).toBeLessThanOrEqual(16);
      expect(total).toBeLessThanOrEqual(sizeBytes);
    }),
  );
});

test("ranges that are well-formed mean what they say", () => {
  const size = 1000;
  const range = fc.tuple(fc.nat({ max: 1200 }), fc.nat({ max: 1200 }));
  fc.assert(
    fc.property(range, ([first, last]) => {
      const decision = decideRanges(`bytes=${first}-${last}`, size);
      if (last < first) expect(decision).toEqual({ kind: "whole" });
      else if (first >= size) expect(decision).toEqual({ kind: "unsatisfiable" });
      else {
        const ranges = [{ first, last: Math.min(last, size - 1) }];
        expect(decision).toEqual({ kind: "ranges", ranges });
      }
    }),
  );
});

test("a path leads to a file id of the exact form, or to a refusal", () => {
  const tokens = ["/", "..", ".", "%2e", "%2F", "%00", "%25", "%", "\\", "M00", "00", "-m", name];
  const path = textOf(...tokens, "group1/").map((text) => `/${text}`);
  const nearly = fc
    .tuple(fc.nat({ max: name.length }), fc.nat({ max: 3 }), fc.constantFrom("", ...tokens))
    .map(([at, cut, put]) => `/group1/${name.slice(0, at)}${put}${name.slice(at + cut)}`);
  fc.assert(
    fc.property(fc.oneof(path, nearly), fc.boolean(), (text, urlHasGroup) => {
      try {
        const address = fileAddressOf(text, { group, urlHasGroup });
        expect(address.name).toMatch(
          /^M[\dA-Fa-f]{2}\/[\dA-F]{2}\/[\dA-F]{2}\/[\w-]{27}[\w.-]{1,90}$/,
        );
        expect(address.name).not.toMatch(/-m$|\/\./);
        expect(address.group).toMatch(/^[A-Za-z0-9]{1,16}$/);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
  );
});

test("targets, dates, tags and lists of types are read or refused, never worse", () => {
  const text = textOf(
    "/",
    "?",
    "#",
    "http://",
    '"',
    "W/",
    ",",
    ";",
    "q=",
    "*",
    "GMT",
    "Sun, ",
    ":",
  );
  fc.assert(
    fc.property(text, (value) => {
      const target = splitTarget(value);
      expect(target === undefined || target.path.startsWith("/")).toBe(true);
      expect(target?.path.includes("?") ?? false).toBe(false);
      expect([undefined, "number"]).toContain(
        parseHttpDate(value, 0) === undefined ? undefined : "number",
      );
      const tags = parseEntityTags(value);
      if (tags !== "*") for (const tag of tags) expect(tag).toMatch(/^(?:W\/)?"[^"]*"$/);
      expect(["openmetrics", "prometheus"]).toContain(chooseMetricsFormat(value));
    }),
  );
});

test("names of files from headers have no directories, and give extensions that names may have", () => {
  const header = textOf(
    "form-data",
    ";",
    "name=",
    "filename=",
    "filename*=",
    "UTF-8''",
    '"',
    "\\",
    "/",
    ".",
    "%41",
    "jpg",
  );
  fc.assert(
    fc.property(header, (text) => {
      const filename = dispositionFilename(parseParameters(text));
      expect(filename ?? "").not.toMatch(/[/\\]/);
      const extension = suggestedExtension({ filename, contentType: text });
      expect(extension).toMatch(/^[\w.-]{0,6}$/);
      expect(attachment(filename ?? "")).toMatch(/^[\x20-\x7e]+$/);
    }),
  );
});

test("an upload's query is understood or refused", () => {
  const query = textOf(
    "ext=",
    "group=",
    "master=",
    "prefix=",
    "appender=",
    "&",
    "group1/",
    name,
    "_s",
  );
  fc.assert(
    fc.property(query, (text) => {
      try {
        const options = readUploadOptions(new URLSearchParams(text), group);
        expect(options.extension ?? "").toMatch(/^[\w.-]{0,6}$/);
        expect(options.slave?.prefix ?? "x").toMatch(/^[\w.-]{1,16}$/);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
  );
});

test("metadata that is taken comes back the same", () => {
  const short = fc.string({ unit: "binary", minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.dictionary(short, fc.string({ maxLength: 50 })), (object) => {
      try {
        const text = metadataText(metadataFromJson(JSON.stringify(object)));
        const whole = Object.entries(object).map(([key, value]) => [key.toWellFormed(), value]);
        expect(metadataToObject(text)).toEqual(Object.fromEntries(whole));
      } catch (error) {
        expect(error).toMatchObject({ code: "request-invalid" });
      }
    }),
  );
});

interface Reading {
  readonly parts: readonly string[];
  readonly outcome: string;
}

async function readForm(form: Uint8Array, chunkBytes: number): Promise<Reading> {
  const parts: string[] = [];
  const reading = readMultipart({
    body: chunkedBody(form, { chunkBytes }),
    boundary: formBoundary,
    maxParts: 20,
    onPart: async (part) => {
      parts.push((await collectBody(part.body, 1e6)).toString("latin1"));
    },
  }).then(
    () => "done",
    (error: unknown) => (error instanceof AppError ? error.code : `thrown: ${error}`),
  );
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("hangs"), readingLimitMs);
  });
  const outcome = await Promise.race([reading, limit]);
  clearTimeout(timer);
  return { parts, outcome };
}

/** Whatever is no boundary, but nearly. */
const content = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }),
    textOf("\r\n", "--", "-", "\r", "\n", formBoundary.slice(0, -1), `${formBoundary}-`.slice(1)),
  )
  .filter((bytes) => !Buffer.from(bytes).includes(`--${formBoundary}`));

test("forms come through whole, however they are cut into chunks", async () => {
  const parts = fc.array(fc.record({ content }), { minLength: 1, maxLength: 8 });
  const chunk = fc.integer({ min: 1, max: 400 });
  await fc.assert(
    fc.asyncProperty(parts, chunk, async (list, chunkBytes) => {
      const named: FormPart[] = list.map((part) => ({ ...part, name: "a", filename: "b" }));
      const reading = await readForm(formBody(named), chunkBytes);
      expect(reading).toEqual({
        parts: list.map((part) => Buffer.from(part.content).toString("latin1")),
        outcome: "done",
      });
    }),
  );
});

test("forms that are cut off or broken end, as malformed or with what they have", async () => {
  const noise = textOf(
    `--${formBoundary}`,
    "\r\n",
    "--",
    "Content-Disposition: form-data",
    ": ",
    ";",
    "\0",
  );
  const whole = formBody([
    { name: "a", content: "first" },
    { name: "b", filename: "x.jpg", type: "image/jpeg", content: "second\r\n--" },
    { content: "" },
  ]);
  const damaged = fc
    .tuple(fc.nat({ max: whole.length }), fc.nat({ max: 40 }), fc.oneof(noise, fc.constant("")))
    .map(([at, cut, put]) =>
      Buffer.concat([whole.subarray(0, at), Buffer.from(put), whole.subarray(at + cut)]),
    );
  const form = fc.oneof(
    noise.map((text) => Buffer.from(text)),
    damaged,
    fc.nat({ max: whole.length }).map((length) => whole.subarray(0, length)),
  );
  await fc.assert(
    fc.asyncProperty(form, fc.integer({ min: 1, max: 200 }), async (bytes, chunkBytes) => {
      const { outcome } = await readForm(bytes, chunkBytes);
      expect(["done", "peer-misbehaved", "flow-broken"]).toContain(outcome);
    }),
  );
});
