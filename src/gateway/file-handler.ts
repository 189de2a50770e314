/**
 * Answers GET and HEAD for a file: token, conditions, ranges, then the bytes (protocol §10, RFC 9110). A plain GET takes one
 * question to the store; the others ask for the facts first. Main thread.
 */
import { checkToken } from "#gateway/access-token.ts";
import {
  type ByteRange,
  contentRange,
  decideRanges,
  lengthOf,
  type RangeDecision,
} from "#gateway/byte-range.ts";
import { ByteRangesSource } from "#gateway/byte-ranges-source.ts";
import { isConditional, judge, rangeCounts } from "#gateway/conditions.ts";
import { type Validators, validatorsOf } from "#gateway/entity-tag.ts";
import { gatewayError } from "#gateway/errors.ts";
import { contentHeaders, validatorHeaders } from "#gateway/file-headers.ts";
import type { FileAddress, StoredFacts } from "#gateway/file-source.ts";
import type { GatewayRequest } from "#gateway/gateway-request.ts";
import type { GatewayServices } from "#gateway/gateway-services.ts";
import { commonHeaders } from "#gateway/responses.ts";
import { decodeBase } from "#model/file-id.ts";
import { directoryName, parseRemoteFilename } from "#model/remote-filename.ts";
import { netError } from "#net/errors.ts";
import type { HttpHeaders, HttpResponse } from "#net/http-message.ts";
import { nowSeconds } from "#platform/clock.ts";

const boundaryBytes = 15;

interface Target {
  readonly address: FileAddress;
  readonly request: GatewayRequest;
  /** Last component of the logical name. */
  readonly base: string;
}

export class FileHandler {
  readonly #services: GatewayServices;

  constructor(services: GatewayServices) {
    this.#services = services;
  }

  /** Rejects with what `httpStatusOf` knows. */
  async serve(request: GatewayRequest, address: FileAddress): Promise<HttpResponse> {
    const refused = this.refuseToken(request, address);
    if (refused !== undefined) return refused;
    const base = parseRemoteFilename(address.name)?.base ?? "";
    const target: Target = { address, request, base };
    const found = await this.#serveLocal(target);
    if (found !== undefined) return found;
    // A node that sent the client here has looked at its own disks before.
    const looked = request.query.has("redirect");
    const other = looked ? undefined : await this.#services.elsewhere?.(address, request);
    if (other !== undefined) return other;
    throw gatewayError("not-found", "there is no file of this id here");
  }

  /** Undefined where the token is right; what is answered in place of the file, or throws `token-invalid`. */
  refuseToken(request: GatewayRequest, address: FileAddress): HttpResponse | undefined {
    const { antiLeech } = this.#services.settings;
    const verdict = checkToken(antiLeech, {
      name: address.name,
      query: request.query,
      nowSeconds: this.#now(),
    });
    if (verdict === "fine") return undefined;
    const document = antiLeech.failDocument;
    if (verdict === "missing" || document === undefined) {
      const why = verdict === "missing" ? "this file needs token and ts in the query" : verdict;
      throw gatewayError("token-invalid", `the token does not open this file: ${why}`);
    }
    const headers = { "Content-Type": document.contentType, "Cache-Control": "no-store" };
    return { status: 200, headers: { ...commonHeaders, ...headers }, body: document.bytes };
  }

  #now(): number {
    return nowSeconds(this.#services.clock);
  }

  /** Undefined where the file is not here. */
  async #serveLocal(target: Target): Promise<HttpResponse | undefined> {
    const { http } = target.request;
    const { files } = this.#services;
    const location = this.#accelLocation(target);
    if (location !== undefined) return this.#handOver(target, location);
    const plain = !isConditional(http) && http.header("range") === undefined;
    if (http.method === "GET" && plain) return this.#serveWhole(target);
    const facts = await files.facts(target.address);
    if (facts === undefined) return undefined;
    const validators = validatorsOf(target.address.name, facts, this.#now());
    const verdict = judge(http, validators, this.#now());
    if (verdict === "failed") {
      throw gatewayError("condition-failed", "the file is not the one that the request expects");
    }
    if (verdict === "not-modified") {
      return { status: 304, headers: validatorHeaders(validators, this.#now()) };
    }
    if (http.method === "HEAD") {
      return {
        status: 200,
        headers: this.#headers(target, validators),
        length: facts.sizeBytes,
      };
    }
    const header = rangeCounts(http, validators) ? http.header("range") : undefined;
    return this.#serveRanges(target, facts, decideRanges(header, facts.sizeBytes));
  }

  async #serveWhole(target: Target): Promise<HttpResponse | undefined> {
    const file = await this.#services.files.open(target.address);
    if (file === undefined) return undefined;
    const validators = validatorsOf(target.address.name, file, this.#now());
    return { status: 200, headers: this.#headers(target, validators), body: file.body };
  }

  async #serveRanges(
    target: Target,
    facts: StoredFacts,
    decision: RangeDecision,
  ): Promise<HttpResponse | undefined> {
    if (decision.kind === "unsatisfiable") {
      const { sizeBytes } = facts;
      const message = `none of the ranges lies in the ${sizeBytes} bytes of the file`;
      throw gatewayError("range-unsatisfiable", message, { sizeBytes });
    }
    if (decision.kind === "whole") return this.#serveWhole(target);
    const [range] = decision.ranges;
    if (range === undefined || decision.ranges.length > 1) {
      return this.#serveSeveral(target, facts, decision.ranges);
    }
    const file = await this.#services.files.open(target.address, toStored(range));
    if (file === undefined) return undefined;
    if (!isSame(file, facts)) {
      // It changed under our hands; the whole of what it is now is always a right answer.
      file.body.close();
      return this.#serveWhole(target);
    }
    const validators = validatorsOf(target.address.name, facts, this.#now());
    const headers = this.#headers(target, validators);
    return {
      status: 206,
      headers: { ...headers, "Content-Range": contentRange(range, facts.sizeBytes) },
      body: file.body,
    };
  }

  #serveSeveral(target: Target, facts: StoredFacts, ranges: readonly ByteRange[]): HttpResponse {
    const { files, random } = this.#services;
    const validators = validatorsOf(target.address.name, facts, this.#now());
    const headers = this.#headers(target, validators);
    const boundary = Buffer.from(random.bytes(boundaryBytes)).toString("hex");
    const body = new ByteRangesSource({
      ranges,
      sizeBytes: facts.sizeBytes,
      contentType: headers["Content-Type"] ?? "",
      boundary,
      open: async (range) => {
        const file = await files.open(target.address, toStored(range));
        if (file !== undefined && isSame(file, facts)) return file.body;
        file?.body.close();
        throw netError("flow-broken", "the file changed while its ranges were sent");
      },
    });
    const contentType = `multipart/byteranges; boundary=${boundary}`;
    return { status: 206, headers: { ...headers, "Content-Type": contentType }, body };
  }

  /** Where nginx finds the file by itself; undefined for files that it has to get from us. */
  #accelLocation(target: Target): string | undefined {
    const prefix = this.#services.settings.accelRedirectPrefix;
    const name = parseRemoteFilename(target.address.name);
    if (prefix === "" || name === undefined || decodeBase(name.base)?.isTrunk !== false) {
      return undefined;
    }
    const directories = `${directoryName(name.high)}/${directoryName(name.low)}`;
    return `${prefix}${name.storePathIndex}/data/${directories}/${name.base}`;
  }

  /** Conditions and ranges are nginx's business then, and so are the validators, which it makes in its own way. */
  async #handOver(target: Target, location: string): Promise<HttpResponse | undefined> {
    if ((await this.#services.files.facts(target.address)) === undefined) return undefined;
    const headers = contentHeaders(this.#headerFacts(target));
    return { status: 200, headers: { ...headers, "X-Accel-Redirect": location } };
  }

  #headers(target: Target, validators: Validators): HttpHeaders {
    return {
      ...contentHeaders(this.#headerFacts(target)),
      ...validatorHeaders(validators, this.#now()),
      "Accept-Ranges": "bytes",
    };
  }

  #headerFacts({ base, request }: Target): Parameters<typeof contentHeaders>[0] {
    const { defaultContentType } = this.#services.settings;
    return { base, query: request.query, defaultContentType };
  }
}

function toStored(range: ByteRange): { readonly offset: number; readonly length: number } {
  return { offset: range.first, length: lengthOf(range) };
}

function isSame(one: StoredFacts, other: StoredFacts): boolean {
  return one.sizeBytes === other.sizeBytes && one.modifiedSeconds === other.modifiedSeconds;
}
