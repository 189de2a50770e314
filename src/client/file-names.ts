/** File ids as callers write them, taken apart and checked before anything is asked of a server. Pure. */
import type { AppError } from "#base/app-error.ts";
import { type ClientErrorCode, clientError } from "#client/errors.ts";
import type { FileOfGroup } from "#client/read-targets.ts";
import { isNamePart, maxExtensionLength, maxPrefixLength } from "#model/file-base.ts";
import { type DecodedBase, decodeBase, splitFileId } from "#model/file-id.ts";
import { hasMetadataSeparator, type MetadataEntry } from "#model/file-metadata.ts";
import { isGroupName } from "#model/group-name.ts";
import { maxRemoteFilenameLength, parseRemoteFilename } from "#model/remote-filename.ts";

export interface KnownFile extends FileOfGroup {
  readonly fileId: string;
  readonly decoded: DecodedBase;
}

/** Throws `file-id-invalid`. */
export function knownFile(fileId: string): KnownFile {
  const parts = splitFileId(fileId);
  if (parts === undefined) {
    throw invalidId(fileId, "it does not begin with the name of a group and a slash");
  }
  if (parts.filename.length > maxRemoteFilenameLength) {
    throw invalidId(fileId, `its name is longer than ${maxRemoteFilenameLength} characters`);
  }
  const name = parseRemoteFilename(parts.filename);
  if (name === undefined) throw invalidId(fileId, "behind the group there is no Mxx/HH/HH/name");
  const decoded = decodeBase(name.base);
  if (decoded === undefined) throw invalidId(fileId, "its last part was not made by FastDFS");
  return { fileId, group: parts.group, filename: parts.filename, decoded };
}

function invalidId(fileId: string, why: string): AppError<ClientErrorCode> {
  return clientError("file-id-invalid", `"${fileId.slice(0, 160)}" is not a file id: ${why}`);
}

/** The CRC-32 of the content, unsigned, where the name carries it: normal files, and those packed in trunk files. */
export function crc32ByName(file: KnownFile): number | undefined {
  const { isSlave, isAppender, crc32 } = file.decoded;
  return isSlave || isAppender ? undefined : crc32;
}

/** The same text without a leading dot; throws `argument-invalid`. */
export function checkedExtension(text: string): string {
  const extension = text.startsWith(".") ? text.slice(1) : text;
  if (isNamePart(extension, maxExtensionLength)) return extension;
  throw clientError(
    "argument-invalid",
    `"${text}" cannot be an extension: use at most ${maxExtensionLength} letters, digits, dots, hyphens and underscores`,
  );
}

/** Throws `argument-invalid`. */
export function checkedPrefix(text: string): string {
  if (text !== "" && isNamePart(text, maxPrefixLength)) return text;
  throw clientError(
    "argument-invalid",
    `"${text}" cannot be a prefix: use 1 to ${maxPrefixLength} letters, digits, dots, hyphens and underscores`,
  );
}

/** Throws `argument-invalid`. */
export function checkedGroup(text: string | undefined): string | undefined {
  if (text === undefined || isGroupName(text)) return text;
  throw clientError("argument-invalid", `"${text}" is not a group: use 1 to 16 letters and digits`);
}

/** Throws `argument-invalid` for names and values that would fall apart on their way. */
export function checkedMetadata(entries: Iterable<MetadataEntry>): readonly MetadataEntry[] {
  const list = [...entries];
  for (const [name, value] of list) {
    if (name === "" || hasMetadataSeparator(name) || hasMetadataSeparator(value)) {
      throw clientError(
        "argument-invalid",
        `metadata "${name}" cannot be kept: names must not be empty, and the characters U+0001 and U+0002 are not allowed`,
      );
    }
  }
  return list;
}

/** The extension that FastDFS's tools take from a file name: what follows its last dot, when that is short enough. */
export function extensionOfPath(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  if (dot < 0) return "";
  const extension = name.slice(dot + 1);
  return isNamePart(extension, maxExtensionLength) ? extension : "";
}

/** A whole number of bytes, 0 or more; throws `argument-invalid`. */
export function checkedBytes(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw clientError("argument-invalid", `${what} must be a whole number of bytes, not ${value}`);
}
