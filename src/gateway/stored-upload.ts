/** Stores one payload and describes what became of it, for raw and for form uploads. Main thread. */
import { describeError } from "#base/app-error.ts";
import type { UploadFlow } from "#gateway/bounded-body.ts";
import { gatewayError } from "#gateway/errors.ts";
import type { FileAddress } from "#gateway/file-source.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import type { UploadOptions } from "#gateway/upload-options.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

export interface StoredUpload {
  readonly address: FileAddress;
  readonly sizeBytes: number;
  /** Undefined for a slave whose short name FastDFS takes for a normal file's (protocol §3.6): nobody can tell it. */
  readonly crc32: number | undefined;
}

/** Rejects with what stopped the payload, or with the store's refusal; nothing is left behind then. */
export async function storeUpload(
  services: GatewayServices,
  flow: UploadFlow,
  wanted: UploadOptions & { readonly extension: string },
): Promise<StoredUpload> {
  const name = await store(services, flow, wanted);
  if (name === undefined) throw gatewayError("not-found", "there is no such master file");
  const address = { group: wanted.group, name };
  const crc32 = await checksumOf(services, address, wanted.slave !== undefined);
  return { address, sizeBytes: flow.receivedBytes, crc32 };
}

/** Takes back what was stored for a request that failed later. */
export async function discardUploads(
  services: GatewayServices,
  uploads: readonly StoredUpload[],
): Promise<void> {
  for (const { address } of uploads) {
    try {
      await services.files.remove(address);
    } catch (error) {
      const file = `${address.group}/${address.name}`;
      services.log.warn("upload-not-discarded", { file, why: describeError(error) });
    }
  }
}

/** As clients get it; `origin` is where they reached us, empty for a path alone. */
export function describeUpload(
  upload: StoredUpload,
  origin: string,
): Readonly<Record<string, string | number | null>> {
  const { group, name } = upload.address;
  const fileId = `${group}/${name}`;
  return {
    file_id: fileId,
    group,
    name,
    url: `${origin}/${fileId}`,
    size: upload.sizeBytes,
    crc32: upload.crc32 ?? null,
  };
}

async function store(
  { files }: GatewayServices,
  flow: UploadFlow,
  wanted: UploadOptions & { readonly extension: string },
): Promise<string | undefined> {
  const { group, kind, extension, slave } = wanted;
  try {
    if (slave !== undefined) return await files.uploadSlave({ ...slave, extension }, flow);
    return await files.upload(group, { extension, kind }, flow);
  } catch (error) {
    throw flow.failure ?? error;
  }
}

/** The name has it; that of a slave has its master's. */
async function checksumOf(
  services: GatewayServices,
  address: FileAddress,
  isSlave: boolean,
): Promise<number | undefined> {
  const decoded = decodeBase(parseRemoteFilename(address.name)?.base ?? "");
  if (!isSlave) return decoded?.crc32;
  return decoded?.isSlave === true ? services.files.checksum(address) : undefined;
}
