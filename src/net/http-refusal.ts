/**
 * What the server answers by itself: to what is no request, as a whole message because there is no exchange that could send
 * it, and in place of a handler. Pure.
 */
import type { HttpResponse } from "#net/http-message.ts";

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Payload Too Large",
  431: "Request Header Fields Too Large",
};

/** In place of a handler's reply; `status` is 431 or 500. */
export function ownResponse(status: number): HttpResponse {
  return {
    status,
    headers: { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" },
    body: Buffer.from(messageOf(status)),
  };
}

/** `code` is the one of Node's parser or server error. */
export function earlyRefusal(code: string | undefined): string {
  const status = statusOf(code);
  const message = messageOf(status);
  return [
    `HTTP/1.1 ${status} ${reasons[status] ?? ""}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(message)}`,
    "",
    message,
  ].join("\r\n");
}

function statusOf(code: string | undefined): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return 413;
  return 400;
}

function messageOf(status: number): string {
  const code = status === 500 ? "internal" : "request-invalid";
  return JSON.stringify({ error: { code, message: explain(status) } });
}

function explain(status: number): string {
  if (status === 500) return "The request failed.";
  if (status === 431) return "The header of the request is too large.";
  if (status === 408) return "The request did not arrive in time.";
  if (status === 413) return "The chunk extensions of the body are too large.";
  return "This is not a well-formed HTTP/1.1 request.";
}
