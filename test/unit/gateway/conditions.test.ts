/** Conditional requests. */
import { expect, test } from "vitest";
import { isConditional, judge, rangeCounts } from "#gateway/conditions.ts";

const now = 1_000_000;
const validators = { entityTag: '"v1"', modifiedSeconds: 500_000 };
const weak = { entityTag: 'W/"v1"', modifiedSeconds: 500_000 };
const at = new Date(500_000_000).toUTCString();
const before = new Date(499_999_000).toUTCString();
const after = new Date(500_001_000).toUTCString();

function request(headers: Record<string, string>, method = "GET") {
  return { method, header: (name: string) => headers[name] };
}

function verdict(headers: Record<string, string>, method?: string): string {
  return judge(request(headers, method), validators, now);
}

test("without conditions there is nothing to judge", () => {
  expect([isConditional(request({})), verdict({})]).toEqual([false, "proceed"]);
  expect(isConditional(request({ "if-match": "*" }))).toBe(true);
});

test("If-Match wants the same bytes, strongly", () => {
  expect(verdict({ "if-match": '"v0", "v1"' })).toBe("proceed");
  expect(verdict({ "if-match": "*" })).toBe("proceed");
  expect(verdict({ "if-match": '"v0"' })).toBe("failed");
  expect(judge(request({ "if-match": 'W/"v1"' }), weak, now)).toBe("failed");
});

test("If-Unmodified-Since counts where there is no If-Match", () => {
  expect(verdict({ "if-unmodified-since": at })).toBe("proceed");
  expect(verdict({ "if-unmodified-since": before })).toBe("failed");
  expect(verdict({ "if-unmodified-since": before, "if-match": '"v1"' })).toBe("proceed");
  expect(verdict({ "if-unmodified-since": "yesterday" })).toBe("proceed");
});

test("If-None-Match saves the transfer for readers, and refuses writers", () => {
  expect(verdict({ "if-none-match": '"v1"' })).toBe("not-modified");
  expect(verdict({ "if-none-match": 'W/"v1"' }, "HEAD")).toBe("not-modified");
  expect(verdict({ "if-none-match": "*" })).toBe("not-modified");
  expect(verdict({ "if-none-match": '"v0"' })).toBe("proceed");
  expect(verdict({ "if-none-match": "*" }, "DELETE")).toBe("failed");
});

test("If-Modified-Since counts for readers where there is no If-None-Match", () => {
  expect(verdict({ "if-modified-since": at })).toBe("not-modified");
  expect(verdict({ "if-modified-since": after })).toBe("not-modified");
  expect(verdict({ "if-modified-since": before })).toBe("proceed");
  expect(verdict({ "if-modified-since": at, "if-none-match": '"v0"' })).toBe("proceed");
  expect(verdict({ "if-modified-since": at }, "DELETE")).toBe("proceed");
  expect(verdict({ "if-modified-since": "nonsense" })).toBe("proceed");
});

test("a condition that fails comes before one that would spare the transfer", () => {
  expect(verdict({ "if-match": '"v0"', "if-none-match": '"v1"' })).toBe("failed");
});

test("If-Range lets the range count only where the bytes are surely the same", () => {
  const counts = (text: string, of = validators): boolean =>
    rangeCounts(request({ "if-range": text }), of);
  expect(rangeCounts(request({}), validators)).toBe(true);
  expect([counts('"v1"'), counts('"v0"'), counts('W/"v1"')]).toEqual([true, false, false]);
  expect([counts(at), counts(before), counts(after), counts("nonsense")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([counts('W/"v1"', weak), counts(at, weak)]).toEqual([false, false]);
});
