/** A request as the gateway's handlers see it: its target taken apart, its query decoded, both of bounded size. */
import { gatewayError } from "#gateway/errors.ts";
import type { HttpRequest } from "#net/http-message.ts";
import { splitTarget } from "#net/http-target.ts";

export interface GatewayRequest {
  readonly http: HttpRequest;
  /** Still percent-encoded, begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** FastDFS's own limit (protocol §10.2). */
const maxTargetLength = 4096;
const maxQueryParameters = 32;

/** Throws `request-too-long` or `request-invalid`. */
export function readRequest(http: HttpRequest): GatewayRequest {
  if (http.target.length >= maxTargetLength) {
    throw gatewayError(
      "request-too-long",
      `the path with its query is longer than ${maxTargetLength} characters`,
    );
  }
  const target = splitTarget(http.target);
  if (target === undefined) {
    throw gatewayError("request-invalid", "the request needs a path that begins with a slash");
  }
  const query = new URLSearchParams(target.query);
  if (query.size > maxQueryParameters) {
    throw gatewayError(
      "request-invalid",
      `the query has more than ${maxQueryParameters} parameters`,
    );
  }
  return { http, path: target.path, query };
}

/** True for `?name`, `?name=1` and `?name=true`; false where it is missing, `0` or `false`. */
export function isSwitchedOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}
