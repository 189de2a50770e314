/**
 * Answers uploads: a raw body is one file, a form may bring several. Refusals come before the body is read, so that a client
 * which waits for `100 Continue` never sends what nobody takes. Main thread.
 */
import { tooLarge, UploadFlow } from "#gateway/bounded-body.ts";
import { gatewayError } from "#gateway/errors.ts";
import { FormUpload } from "#gateway/form-upload.ts";
import type { GatewayRequest } from "#gateway/gateway-request.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import { dispositionFilename, parseParameters, utf8Header } from "#gateway/header-parameters.ts";
import { multipartBoundary } from "#gateway/multipart-reader.ts";
import { jsonResponse } from "#gateway/responses.ts";
import { describeUpload, type StoredUpload, storeUpload } from "#gateway/stored-upload.ts";
import {
  readUploadOptions,
  suggestedExtension,
  type UploadOptions,
} from "#gateway/upload-options.ts";
import type { HttpRequest, HttpResponse } from "#net/http-message.ts";
import { decodePath } from "#net/http-target.ts";

const formType = "multipart/form-data";
/** Host and port as they may stand in a URL. */
const plainHost = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

export class UploadHandler {
  readonly #services: GatewayServices;

  constructor(services: GatewayServices) {
    this.#services = services;
  }

  /** Rejects with what `httpStatusOf` knows; nothing is left behind then. */
  async receive(request: GatewayRequest): Promise<HttpResponse> {
    const { http } = request;
    const options = this.#admit(request);
    const contentType = http.header("content-type") ?? "";
    const isForm = http.method === "POST" && /^multipart\/form-data\b/i.test(contentType.trim());
    if (!isForm) {
      const upload = await this.#receiveRaw(request, options);
      return created(describeUpload(upload, originOf(http)));
    }
    const boundary = multipartBoundary(contentType, formType);
    if (boundary === undefined) {
      throw gatewayError("body-unsupported", "the form's content type names no usable boundary");
    }
    const uploads = await new FormUpload(this.#services, options).receive(http.body, boundary);
    const files = uploads.map((upload) => describeUpload(upload, originOf(http)));
    // One file is described like a raw upload as well, for clients that never send more.
    return created(files.length === 1 ? { ...files[0], files } : { files });
  }

  #admit({ http, query }: GatewayRequest): UploadOptions {
    const { settings, files } = this.#services;
    if (!settings.upload) {
      throw gatewayError("switched-off", "uploads are switched off (gateway.upload)");
    }
    const options = readUploadOptions(query, settings.group);
    if (!files.takesUploads(options.group)) {
      throw gatewayError("not-found", `this node stores no files of group ${options.group}`);
    }
    const coding = http.header("content-encoding") ?? "identity";
    if (coding.toLowerCase() !== "identity") {
      throw gatewayError(
        "body-unsupported",
        "content codings are not undone; send the file as it is",
      );
    }
    return options;
  }

  #receiveRaw({ http, path }: GatewayRequest, options: UploadOptions): Promise<StoredUpload> {
    const { maxUploadSizeBytes } = this.#services.settings;
    const { length } = http.body;
    if (length !== undefined && length > maxUploadSizeBytes) throw tooLarge(maxUploadSizeBytes);
    const flow = new UploadFlow(http.body, {
      length: length ?? 0,
      lengthIsEstimate: length === undefined,
      maxBytes: maxUploadSizeBytes,
    });
    const contentType = http.header("content-type");
    const filename = filenameOf(http, path);
    const extension = options.extension ?? suggestedExtension({ filename, contentType });
    return storeUpload(this.#services, flow, { ...options, extension });
  }
}

function created(description: Readonly<Record<string, unknown>>): HttpResponse {
  const { url } = description;
  return jsonResponse(201, description, typeof url === "string" ? { Location: url } : {});
}

/** `PUT /upload/name.ext`, or Content-Disposition. */
function filenameOf(http: HttpRequest, path: string): string | undefined {
  const inPath = decodePath(path.slice(path.lastIndexOf("/") + 1));
  if (path.startsWith("/upload/") && inPath !== undefined && inPath !== "") return inPath;
  const disposition = http.header("content-disposition");
  return disposition === undefined
    ? undefined
    : dispositionFilename(parseParameters(utf8Header(disposition)));
}

/** What the client called us, so that the URL works where the request came from; nothing where that is no plain host. */
function originOf(http: HttpRequest): string {
  const host = http.header("host") ?? "";
  if (!plainHost.test(host)) return "";
  const scheme = http.header("x-forwarded-proto") === "https" ? "https" : "http";
  return `${scheme}://${host}`;
}
