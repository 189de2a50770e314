/**
 * The parts of a request target (RFC 9112 §3.2). Nothing is decoded here: whoever compares a path with names decodes it once, by
 * `decodePath`, and looks at what comes out. Pure.
 */

export interface HttpTarget {
  /** Begins with a slash; still percent-encoded. */
  readonly path: string;
  /** Behind the question mark, still encoded; empty without one. */
  readonly query: string;
}

/** Splits a target in origin form or absolute form; undefined for any other. */
export function splitTarget(target: string): HttpTarget | undefined {
  const origin = target.startsWith("/") ? target : originForm(target);
  if (origin === undefined) return undefined;
  const [whole = ""] = origin.split("#", 1);
  const mark = whole.indexOf("?");
  if (mark < 0) return { path: whole, query: "" };
  return { path: whole.slice(0, mark), query: whole.slice(mark + 1) };
}

/** Decodes percent-encoding once; undefined where it is malformed or not UTF-8. */
export function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** What proxies send: `http://host/path`. */
function originForm(target: string): string | undefined {
  const match = /^https?:\/\/[^/?#]*(.*)$/is.exec(target);
  const rest = match?.[1];
  if (rest === undefined) return undefined;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
