/** Responses that are not files: JSON, texts, and failures as `{ "error": { "code", "message" } }`. Pure. */
import { AppError } from "#base/app-error.ts";
import { httpStatusOf } from "#gateway/http-status.ts";
import type { HttpHeaders, HttpResponse } from "#net/http-message.ts";

/** On everything: browsers are not to guess types. */
export const commonHeaders: HttpHeaders = { "X-Content-Type-Options": "nosniff" };

export function jsonResponse(
  status: number,
  value: unknown,
  headers: HttpHeaders = {},
): HttpResponse {
  return {
    status,
    headers: {
      ...commonHeaders,
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...headers,
    },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}

export function textResponse(status: number, contentType: string, text: string): HttpResponse {
  return {
    status,
    headers: { ...commonHeaders, "Content-Type": contentType, "Cache-Control": "no-store" },
    body: Buffer.from(text),
  };
}

export function emptyResponse(status: number, headers: HttpHeaders = {}): HttpResponse {
  return { status, headers: { ...commonHeaders, ...headers } };
}

/** What nobody foresaw is told without its message, which is for the log alone. */
export function failureResponse(error: unknown): HttpResponse {
  const status = httpStatusOf(error);
  if (status === undefined || !(error instanceof AppError)) {
    return jsonResponse(500, { error: { code: "internal", message: "The request failed." } });
  }
  const { code, message } = error;
  return jsonResponse(status, { error: { code, message } }, headersOf(status, error));
}

function headersOf(status: number, error: AppError): HttpHeaders {
  const { allow, sizeBytes } = error.details;
  if (status === 405 && typeof allow === "string") return { Allow: allow };
  if (status === 416 && typeof sizeBytes === "number") {
    return { "Content-Range": `bytes */${sizeBytes}` };
  }
  return status === 503 ? { "Retry-After": "5" } : {};
}
