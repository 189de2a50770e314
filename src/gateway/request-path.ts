/**
 * From the path of a URL to a file's address. What does not have the exact form of a file id never comes near a disk: dots,
 * slashes, NUL and whatever percent-encoding hides are refused here. Pure.
 */
import { gatewayError } from "#gateway/errors.ts";
import type { FileAddress } from "#gateway/file-source.ts";
import { decodeBase, encodedLength } from "#model/file-id.ts";
import { type GroupName, isGroupName } from "#model/group-name.ts";
import { parseRemoteFilename, type RemoteFilename } from "#model/remote-filename.ts";
import { decodePath } from "#net/http-target.ts";

/** Group and name, every character percent-encoded. */
const maxPathLength = 3 * (16 + 127 + 2);
/** Metadata has a URL of its own; the file that holds it has none. */
const metadataSuffix = "-m";

export interface PathRules {
  readonly group: GroupName;
  readonly urlHasGroup: boolean;
}

/**
 * The file that `path` means. Throws `not-found` for a path of another form, `request-invalid` for one that begins as a file id
 * does and goes wrong, `request-too-long` for one longer than any file id.
 */
export function fileAddressOf(path: string, rules: PathRules): FileAddress {
  if (path.length > maxPathLength) {
    throw gatewayError("request-too-long", "the path is longer than any file id");
  }
  const decoded = decodePath(path);
  if (decoded === undefined) {
    throw gatewayError("request-invalid", "the path is not well-formed percent-encoded UTF-8");
  }
  return parseFileId(decoded.slice(1), rules.urlHasGroup ? undefined : rules.group);
}

/** The address in `group/Mxx/HH/HH/base`, or in `Mxx/HH/HH/base` where a default group is given. Throws as `fileAddressOf`. */
export function parseFileId(text: string, defaultGroup: GroupName | undefined): FileAddress {
  const parts = text.split("/");
  const bare = parts.length === 4 && defaultGroup !== undefined;
  const group = bare ? defaultGroup : parts[0];
  const name = bare ? text : parts.slice(1).join("/");
  if (group === undefined || !isGroupName(group) || !name.startsWith("M")) {
    throw gatewayError("not-found", "there is nothing at this path");
  }
  const parsed = parseRemoteFilename(name);
  if (parsed === undefined || !isServedName(parsed)) {
    throw gatewayError("request-invalid", "this is not the id of a file");
  }
  return { group, name };
}

/** Names made by FastDFS's rules; slaves may be shorter than their masters. Trunk containers and metadata are nobody's business. */
function isServedName({ base }: RemoteFilename): boolean {
  return (
    base.length > encodedLength &&
    decodeBase(base) !== undefined &&
    !base.endsWith(metadataSuffix) &&
    /^[\w.-]+$/.test(base)
  );
}
