/** Responses that are not files. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { gatewayError } from "#gateway/errors.ts";
import { emptyResponse, failureResponse, jsonResponse, textResponse } from "#gateway/responses.ts";

function bodyOf(response: { readonly body?: unknown }): unknown {
  return JSON.parse(Buffer.from(response.body as Uint8Array).toString());
}

test("a failure is JSON with its code and words", () => {
  const response = failureResponse(fileStoreError("file-missing", "there is no such file"));
  expect(response.status).toBe(404);
  expect(bodyOf(response)).toEqual({
    error: { code: "file-missing", message: "there is no such file" },
  });
});

test("some failures say more in their headers", () => {
  const headers = [
    gatewayError("method-not-allowed", "", { allow: "GET" }),
    gatewayError("range-unsatisfiable", "", { sizeBytes: 12 }),
    fileStoreError("store-path-offline", ""),
  ].map((error) => failureResponse(error).headers);
  expect(headers).toMatchObject([
    { Allow: "GET" },
    { "Content-Range": "bytes */12" },
    { "Retry-After": "5" },
  ]);
});

test("what nobody foresaw is not told to clients", () => {
  const response = failureResponse(new Error("secret path /srv"));
  expect([response.status, bodyOf(response)]).toEqual([
    500,
    { error: { code: "internal", message: "The request failed." } },
  ]);
});

test("no response lets a browser guess its type", () => {
  const all = [jsonResponse(200, {}), textResponse(200, "text/plain", "x"), emptyResponse(204)];
  expect(all.map(({ headers }) => headers["X-Content-Type-Options"])).toEqual(
    Array(3).fill("nosniff"),
  );
});
