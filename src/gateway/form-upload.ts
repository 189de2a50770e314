/**
 * Takes one `multipart/form-data` body apart: files go straight to the store, one after another; the fields `metadata` (a JSON
 * object) and `meta.<name>` set metadata for all of them. A form is taken whole or not at all. Main thread.
 */
import { collectBody, UploadFlow } from "#gateway/bounded-body.ts";
import { gatewayError } from "#gateway/errors.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import { dispositionFilename } from "#gateway/header-parameters.ts";
import { maxMetadataBytes, metadataFromJson, metadataText } from "#gateway/metadata-json.ts";
import { type MultipartPart, readMultipart } from "#gateway/multipart-reader.ts";
import { discardUploads, type StoredUpload, storeUpload } from "#gateway/stored-upload.ts";
import { suggestedExtension, type UploadOptions } from "#gateway/upload-options.ts";
import type { MetadataEntry } from "#model/file-metadata.ts";
import type { HttpBody } from "#net/http-message.ts";

const maxParts = 256;
const metadataField = "metadata";
const metadataFieldPrefix = "meta.";

export class FormUpload {
  readonly #services: GatewayServices;
  readonly #options: UploadOptions;
  readonly #stored: StoredUpload[] = [];
  readonly #metadata: MetadataEntry[] = [];
  #metadataBytes = 0;
  #storedBytes = 0;

  constructor(services: GatewayServices, options: UploadOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** The files in the order of the form, at least one. */
  async receive(body: HttpBody, boundary: string): Promise<readonly StoredUpload[]> {
    try {
      await readMultipart({
        body,
        boundary,
        maxParts,
        onPart: (part) => this.#take(part, body.length ?? 0),
      });
      if (this.#stored.length === 0) {
        throw gatewayError("request-invalid", "there is no file in the form");
      }
      await this.#setMetadata();
    } catch (error) {
      await discardUploads(this.#services, this.#stored);
      throw error;
    }
    return this.#stored;
  }

  async #take(part: MultipartPart, formBytes: number): Promise<void> {
    const name = part.disposition.parameters.get("name") ?? "";
    const filename = dispositionFilename(part.disposition);
    // What browsers send for an input in which no file was chosen.
    if (filename === "") await this.#expectEmpty(part);
    else if (isFile(part, filename)) await this.#storeFile(part, filename, formBytes);
    else if (name === metadataField || name.startsWith(metadataFieldPrefix)) {
      await this.#takeMetadata(part, name);
    }
  }

  async #storeFile(
    part: MultipartPart,
    filename: string | undefined,
    formBytes: number,
  ): Promise<void> {
    if (this.#options.slave !== undefined && this.#stored.length > 0) {
      throw gatewayError("request-invalid", "a form for a master file may have one file only");
    }
    const { contentType } = part;
    const flow = new UploadFlow(part.body, {
      length: Math.max(0, formBytes - this.#storedBytes),
      lengthIsEstimate: true,
      maxBytes: this.#services.settings.maxUploadSizeBytes,
    });
    const extension = this.#options.extension ?? suggestedExtension({ filename, contentType });
    const stored = await storeUpload(this.#services, flow, { ...this.#options, extension });
    this.#stored.push(stored);
    this.#storedBytes += stored.sizeBytes;
  }

  async #expectEmpty(part: MultipartPart): Promise<void> {
    const flow = new UploadFlow(part.body, { length: 0, lengthIsEstimate: false, maxBytes: 0 });
    await flow.drainTo({ write: () => true }).catch((error: unknown) => {
      if (flow.receivedBytes === 0) throw error;
      throw gatewayError("request-invalid", "a part with content has an empty file name");
    });
  }

  async #takeMetadata(part: MultipartPart, name: string): Promise<void> {
    const bytes = await collectBody(part.body, maxMetadataBytes - this.#metadataBytes);
    this.#metadataBytes += bytes.length;
    const text = bytes.toString("utf8");
    if (name === metadataField) this.#metadata.push(...metadataFromJson(text));
    else this.#metadata.push([name.slice(metadataFieldPrefix.length), text]);
  }

  /** It may stand in front of the files as well as behind them. */
  async #setMetadata(): Promise<void> {
    if (this.#metadata.length === 0) return;
    // Of a name that comes twice the last value counts.
    const text = metadataText([...new Map(this.#metadata)]);
    for (const { address } of this.#stored) {
      await this.#services.files.setMetadata(address, "overwrite", text);
    }
  }
}

/** Browsers give files a name, cameras often only a type (field notes §3.3). */
function isFile(part: MultipartPart, filename: string | undefined): boolean {
  if (filename !== undefined) return true;
  const type = part.contentType?.toLowerCase() ?? "";
  return type !== "" && !type.startsWith("text/") && !type.startsWith("application/json");
}
