/** The headers under which a file is served. Pure. */
import { attachment } from "#gateway/content-disposition.ts";
import { contentTypeOf, isActiveType } from "#gateway/content-type.ts";
import type { Validators } from "#gateway/entity-tag.ts";
import { isSwitchedOn } from "#gateway/gateway-request.ts";
import { commonHeaders } from "#gateway/responses.ts";
import { decodeBase } from "#model/file-id.ts";
import { formatHttpDate } from "#net/http-date.ts";
import type { HttpHeaders } from "#net/http-message.ts";

export interface FileHeaderFacts {
  /** Last component of the logical name. */
  readonly base: string;
  readonly query: URLSearchParams;
  readonly defaultContentType: string;
}

/** What the content is, and what a browser is to do with it. */
export function contentHeaders({ base, query, defaultContentType }: FileHeaderFacts): HttpHeaders {
  const contentType = contentTypeOf(decodeBase(base)?.extension ?? "", defaultContentType);
  const filename = query.get("filename");
  const named = filename !== null && filename !== "";
  const disposed = named || isSwitchedOn(query, "download");
  return {
    ...commonHeaders,
    "Content-Type": contentType,
    ...(disposed ? { "Content-Disposition": attachment(named ? filename : base) } : {}),
    // Anybody may upload a page; it is not to act in the name of our own pages.
    ...(isActiveType(contentType) ? { "Content-Security-Policy": "sandbox" } : {}),
  };
}

/** A time of change that lies in the future, by a clock that was wrong, is not told (RFC 9110 §8.8.2.1). */
export function validatorHeaders(validators: Validators, nowSeconds: number): HttpHeaders {
  const { entityTag, modifiedSeconds } = validators;
  const told = modifiedSeconds <= nowSeconds;
  return {
    ETag: entityTag,
    ...(told ? { "Last-Modified": formatHttpDate(modifiedSeconds) } : {}),
  };
}
