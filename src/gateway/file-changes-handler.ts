/** Answers what changes or describes a file that is there: DELETE, and metadata in both directions. Main thread. */
import { collectBody } from "#gateway/bounded-body.ts";
import { judge } from "#gateway/conditions.ts";
import { validatorsOf } from "#gateway/entity-tag.ts";
import { gatewayError } from "#gateway/errors.ts";
import type { FileAddress } from "#gateway/file-source.ts";
import type { GatewayRequest } from "#gateway/gateway-request.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import {
  maxMetadataBytes,
  metadataFromJson,
  metadataText,
  metadataToObject,
} from "#gateway/metadata-json.ts";
import { emptyResponse, jsonResponse } from "#gateway/responses.ts";
import type { HttpResponse } from "#net/http-message.ts";
import { nowSeconds } from "#platform/clock.ts";

const nothing = new Uint8Array(0);

export class FileChangesHandler {
  readonly #services: GatewayServices;

  constructor(services: GatewayServices) {
    this.#services = services;
  }

  async remove({ http, query }: GatewayRequest, address: FileAddress): Promise<HttpResponse> {
    const { settings, files, clock } = this.#services;
    if (!settings.delete) {
      throw gatewayError("switched-off", "deleting is switched off (gateway.delete)");
    }
    if (query.has("metadata")) {
      return changed(await files.setMetadata(address, "overwrite", nothing));
    }
    if (http.header("if-match") !== undefined || http.header("if-unmodified-since") !== undefined) {
      const facts = await files.facts(address);
      if (facts === undefined) throw missing();
      const now = nowSeconds(clock);
      if (judge(http, validatorsOf(address.name, facts, now), now) === "failed") {
        throw gatewayError("condition-failed", "the file is not the one that the request expects");
      }
    }
    return changed(await files.remove(address));
  }

  async readMetadata(address: FileAddress): Promise<HttpResponse> {
    const text = await this.#services.files.metadata(address);
    if (text === undefined) throw missing();
    return jsonResponse(200, metadataToObject(text));
  }

  /** `?metadata` and `?metadata=overwrite` replace, `?metadata=merge` adds. */
  async writeMetadata(request: GatewayRequest, address: FileAddress): Promise<HttpResponse> {
    if (!this.#services.settings.upload) {
      throw gatewayError("switched-off", "changes are switched off (gateway.upload)");
    }
    const mode = modeOf(request.query);
    const body = await collectBody(request.http.body, maxMetadataBytes);
    const text = metadataText(metadataFromJson(body.toString("utf8")));
    return changed(await this.#services.files.setMetadata(address, mode, text));
  }
}

function modeOf(query: URLSearchParams): "overwrite" | "merge" {
  const mode = query.get("metadata");
  if (mode === null) {
    throw gatewayError(
      "request-invalid",
      "the content of a file cannot be replaced; with ?metadata its metadata can",
    );
  }
  if (mode === "merge") return "merge";
  if (mode === "" || mode === "overwrite") return "overwrite";
  throw gatewayError("request-invalid", "metadata is overwrite or merge");
}

function changed(found: boolean): HttpResponse {
  if (!found) throw missing();
  return emptyResponse(204);
}

function missing(): Error {
  return gatewayError("not-found", "there is no file of this id here");
}
