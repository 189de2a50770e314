/**
 * From a request to the handler that answers it, and from every failure to a response: who may come in, which path, which
 * method. Never rejects. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { type MetricRegistry, metricsContentType } from "#base/metrics.ts";
import { gatewayError } from "#gateway/errors.ts";
import { FileChangesHandler } from "#gateway/file-changes-handler.ts";
import { FileHandler } from "#gateway/file-handler.ts";
import { frontPage } from "#gateway/front-page.ts";
import { type GatewayRequest, readRequest } from "#gateway/gateway-request.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import { httpStatusOf } from "#gateway/http-status.ts";
import { chooseMetricsFormat } from "#gateway/metrics-format.ts";
import { fileAddressOf } from "#gateway/request-path.ts";
import { emptyResponse, failureResponse, jsonResponse, textResponse } from "#gateway/responses.ts";
import { UploadHandler } from "#gateway/upload-handler.ts";
import type { HttpRequest, HttpResponse } from "#net/http-message.ts";
import { HttpRouter } from "#net/http-router.ts";

export interface GatewayHandlerParts {
  readonly services: GatewayServices;
  readonly metrics: MetricRegistry;
  /** Why a load balancer should look elsewhere, in words; nothing where all is well. */
  readonly readiness: () => readonly string[];
  readonly admits: (address: string) => boolean;
}

type Answer = (request: GatewayRequest) => HttpResponse | Promise<HttpResponse>;

export class GatewayHandler {
  readonly #parts: GatewayHandlerParts;
  readonly #files: FileHandler;
  readonly #changes: FileChangesHandler;
  readonly #uploads: UploadHandler;
  readonly #router: HttpRouter<Answer>;

  constructor(parts: GatewayHandlerParts) {
    this.#parts = parts;
    this.#files = new FileHandler(parts.services);
    this.#changes = new FileChangesHandler(parts.services);
    this.#uploads = new UploadHandler(parts.services);
    this.#router = this.#routes();
  }

  async answer(http: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#answer(http);
    } catch (error) {
      if (httpStatusOf(error) === undefined) {
        const data = { method: http.method, why: describeError(error) };
        this.#parts.services.log.error("request-failed", data);
      }
      return failureResponse(error);
    }
  }

  async #answer(http: HttpRequest): Promise<HttpResponse> {
    if (!this.#parts.admits(http.remoteAddress)) {
      throw gatewayError("address-refused", "this node does not serve your address");
    }
    refuseCrossSite(http);
    const request = readRequest(http);
    const match = this.#router.match(http.method, request.path);
    if (match.kind === "found") return match.handler(request);
    if (match.kind === "missing") throw gatewayError("not-found", "there is nothing at this path");
    const { allow } = match;
    if (http.method === "OPTIONS") return emptyResponse(204, { Allow: allow });
    throw gatewayError("method-not-allowed", `this path takes ${allow}`, { allow });
  }

  #routes(): HttpRouter<Answer> {
    const { settings } = this.#parts.services;
    const page = frontPage(settings);
    const upload: Answer = (request) => this.#uploads.receive(request);
    const read: Answer = (request) => this.#read(request);
    const remove: Answer = (request) => this.#changes.remove(request, this.#address(request));
    const write: Answer = (request) => this.#changes.writeMetadata(request, this.#address(request));
    return new HttpRouter<Answer>([
      { pattern: "/", methods: { GET: () => page, POST: upload } },
      { pattern: "/healthz", methods: { GET: () => textResponse(200, "text/plain", "ok\n") } },
      { pattern: "/readyz", methods: { GET: () => this.#readiness() } },
      { pattern: "/metrics", methods: { GET: (request) => this.#metrics(request) } },
      { pattern: "/upload", methods: { POST: upload, PUT: upload } },
      // A group may be called so as well.
      {
        pattern: "/upload/*",
        methods: { GET: read, DELETE: remove, POST: upload, PUT: upload },
      },
      { pattern: "/*", methods: { GET: read, DELETE: remove, PUT: write } },
    ]);
  }

  #address(request: GatewayRequest): ReturnType<typeof fileAddressOf> {
    return fileAddressOf(request.path, this.#parts.services.settings);
  }

  #read(request: GatewayRequest): HttpResponse | Promise<HttpResponse> {
    const address = this.#address(request);
    if (request.query.has("receipt")) {
      return this.#files.refuseToken(request, address) ?? this.#receipt(address);
    }
    if (!request.query.has("metadata")) return this.#files.serve(request, address);
    return this.#files.refuseToken(request, address) ?? this.#changes.readMetadata(address);
  }

  async #receipt(address: ReturnType<typeof fileAddressOf>): Promise<HttpResponse> {
    const found = await this.#parts.services.receipt?.(address);
    if (found === undefined) throw gatewayError("not-found", "there is no file of this id here");
    return jsonResponse(200, found);
  }

  #readiness(): HttpResponse {
    const reasons = this.#parts.readiness();
    const ready = reasons.length === 0;
    return jsonResponse(ready ? 200 : 503, { ready, reasons });
  }

  #metrics({ http }: GatewayRequest): HttpResponse {
    const format = chooseMetricsFormat(http.header("accept"));
    return textResponse(200, metricsContentType[format], this.#parts.metrics.render(format));
  }
}

/** A page of another site cannot read our replies, but its forms could upload to a node in the visitor's own network. */
function refuseCrossSite(http: HttpRequest): void {
  const reads = http.method === "GET" || http.method === "HEAD" || http.method === "OPTIONS";
  if (!reads && http.header("sec-fetch-site") === "cross-site") {
    throw gatewayError("cross-site-refused", "pages of other sites may not change files here");
  }
}
