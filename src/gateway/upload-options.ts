/** What an upload's URL and headers say about the file to come: group, kind, master, extension. Pure. */
import { extensionOfType } from "#gateway/content-type.ts";
import { gatewayError } from "#gateway/errors.ts";
import type { FileAddress } from "#gateway/file-source.ts";
import { isSwitchedOn } from "#gateway/gateway-request.ts";
import { parseFileId } from "#gateway/request-path.ts";
import { isNamePart, maxExtensionLength, maxPrefixLength } from "#model/file-base.ts";
import { type GroupName, isGroupName } from "#model/group-name.ts";

export interface UploadOptions {
  readonly group: GroupName;
  readonly kind: "normal" | "appender";
  /** As the query asks for; undefined leaves it to the file's name. */
  readonly extension: string | undefined;
  /** The file that the new one belongs to. */
  readonly slave: { readonly master: FileAddress; readonly prefix: string } | undefined;
}

/** Throws `request-invalid`, or `not-found` for a group or master of an impossible name. */
export function readUploadOptions(query: URLSearchParams, ownGroup: GroupName): UploadOptions {
  const group = query.get("group") ?? ownGroup;
  if (!isGroupName(group)) throw gatewayError("not-found", "there is no group of this name");
  const extension = query.get("ext") ?? undefined;
  if (extension !== undefined && !isNamePart(extension, maxExtensionLength)) {
    throw gatewayError(
      "request-invalid",
      `ext is at most ${maxExtensionLength} letters, digits, dots, hyphens and underscores`,
    );
  }
  const kind = isSwitchedOn(query, "appender") ? "appender" : "normal";
  const slave = readSlave(query, group);
  if (slave !== undefined && kind === "appender") {
    throw gatewayError("request-invalid", "a file of a master cannot be an appender file");
  }
  return { group: slave?.master.group ?? group, kind, extension, slave };
}

function readSlave(query: URLSearchParams, group: GroupName): UploadOptions["slave"] {
  const master = query.get("master");
  const prefix = query.get("prefix");
  if (master === null && prefix === null) return undefined;
  if (master === null || prefix === null || prefix === "") {
    throw gatewayError("request-invalid", "master and prefix go together, and none is empty");
  }
  if (!isNamePart(prefix, maxPrefixLength)) {
    throw gatewayError(
      "request-invalid",
      `prefix is at most ${maxPrefixLength} letters, digits, dots, hyphens and underscores`,
    );
  }
  return { master: parseFileId(master, group), prefix };
}

export interface NamedContent {
  /** As the client calls the file. */
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
}

/** The extension that the client's own name or type suggests; empty where neither says anything that fits. */
export function suggestedExtension({ filename, contentType }: NamedContent): string {
  const named = extensionOfFilename(filename ?? "");
  if (named !== "") return named;
  return extensionOfType(contentType ?? "") ?? "";
}

function extensionOfFilename(filename: string): string {
  const double = /\.(tar\.\w{1,2})$/.exec(filename)?.[1];
  const single = /[^.]\.([^.]+)$/.exec(filename)?.[1];
  const extension = double ?? single ?? "";
  return isNamePart(extension, maxExtensionLength) ? extension : "";
}
