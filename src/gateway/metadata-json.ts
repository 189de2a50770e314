/** Metadata as JSON: `{ "name": "value" }` outside, FastDFS's text inside (protocol §2.6/13). Pure. */
import { gatewayError } from "#gateway/errors.ts";
import {
  formatMetadata,
  hasMetadataSeparator,
  type MetadataEntry,
  maxMetadataNameLength,
  maxMetadataValueLength,
  parseMetadata,
} from "#model/file-metadata.ts";

/** Of a JSON text, and of what the fields of a form bring together. */
export const maxMetadataBytes = 64 * 1024;

/** Of names that come twice the last one counts. */
export function metadataToObject(text: Uint8Array): Readonly<Record<string, string>> {
  return Object.fromEntries(parseMetadata(text));
}

/** Numbers and truth values are taken as their text. Throws `request-invalid`. */
export function metadataFromJson(json: string): readonly MetadataEntry[] {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("metadata is a JSON object of names and values");
  }
  return Object.entries(value).map(([name, each]: [string, unknown]) => {
    if (typeof each !== "string" && typeof each !== "number" && typeof each !== "boolean") {
      throw invalid(`the value of ${JSON.stringify(name)} is not a text`);
    }
    return [name, String(each)];
  });
}

/** The text that is stored. Throws `request-invalid` for what would be cut or fall apart. */
export function metadataText(entries: readonly MetadataEntry[]): Uint8Array {
  for (const [name, value] of entries) {
    const shown = JSON.stringify(name.slice(0, maxMetadataNameLength));
    if (hasMetadataSeparator(name) || hasMetadataSeparator(value)) {
      throw invalid(`the metadata ${shown} contains the characters 1 or 2, which separate records`);
    }
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes === 0 || nameBytes > maxMetadataNameLength) {
      throw invalid(`names of metadata have 1 to ${maxMetadataNameLength} bytes, ${shown} has not`);
    }
    if (Buffer.byteLength(value) > maxMetadataValueLength) {
      throw invalid(`the value of ${shown} has more than ${maxMetadataValueLength} bytes`);
    }
  }
  return formatMetadata(entries);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(`not JSON: ${error.message}`);
    throw error;
  }
}

function invalid(message: string): Error {
  return gatewayError("request-invalid", message);
}
