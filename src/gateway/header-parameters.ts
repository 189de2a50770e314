/**
 * Header values with parameters, `form-data; name="a"; filename="b.jpg"`, as browsers, curl and cameras really write them:
 * quotes with or without escapes, UTF-8 in place of the ISO 8859-1 that the standard once meant, RFC 8187's `filename*`. Pure.
 */

export interface ParameterizedValue {
  /** In front of the parameters, in lower case. */
  readonly value: string;
  /** Names in lower case; of repeated ones the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const maxParameters = 32;

/** Never fails: what cannot be understood is left out. */
export function parseParameters(header: string): ParameterizedValue {
  const parameters = new Map<string, string>();
  const first = header.indexOf(";");
  const value = (first < 0 ? header : header.slice(0, first)).trim().toLowerCase();
  let at = first < 0 ? header.length : first + 1;
  while (at < header.length && parameters.size < maxParameters) {
    const equals = header.indexOf("=", at);
    const semicolon = header.indexOf(";", at);
    if (equals < 0) break;
    if (semicolon >= 0 && semicolon < equals) {
      at = semicolon + 1;
      continue;
    }
    const name = header.slice(at, equals).trim().toLowerCase();
    const read = readValue(header, equals + 1);
    if (name !== "" && !parameters.has(name)) parameters.set(name, read.text);
    at = read.end + 1;
  }
  return { value, parameters };
}

/** The file name of a Content-Disposition: `filename*` before `filename`, without any directories. */
export function dispositionFilename(parsed: ParameterizedValue): string | undefined {
  const extended = parsed.parameters.get("filename*");
  const name = (extended && decodeExtended(extended)) ?? parsed.parameters.get("filename");
  if (name === undefined) return undefined;
  // Some browsers once sent the whole path.
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
}

/** Node reads header bytes as ISO 8859-1; what was UTF-8 becomes readable again. */
export function utf8Header(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  return text.includes("\ufffd") ? latin1 : text;
}

/** From `start` to the semicolon that ends the value; `end` is that semicolon's place. */
function readValue(header: string, start: number): { readonly text: string; readonly end: number } {
  let at = start;
  while (header[at] === " " || header[at] === "\t") at += 1;
  if (header[at] !== '"') {
    const semicolon = header.indexOf(";", at);
    const end = semicolon < 0 ? header.length : semicolon;
    return { text: header.slice(at, end).trim(), end };
  }
  let text = "";
  for (at += 1; at < header.length && header[at] !== '"'; at += 1) {
    const next = header[at + 1];
    // Browsers escape quotes only; a lone backslash is part of a Windows path.
    if (header[at] === "\\" && (next === '"' || next === "\\")) at += 1;
    text += header[at];
  }
  const semicolon = header.indexOf(";", at);
  return { text, end: semicolon < 0 ? header.length : semicolon };
}

/** `UTF-8''na%C3%AFve.txt`; undefined for other character sets and for what is malformed. */
function decodeExtended(text: string): string | undefined {
  const match = /^utf-8'[^']*'([\w!#$&+.^`|~%-]*)$/i.exec(text);
  if (match === null) return undefined;
  try {
    return decodeURIComponent(match[1] ?? "");
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
