/**
 * Reads a `multipart/…` body part by part while it arrives. Parts are handed out one after another, each as a stream that
 * slows the sender down when its taker is slow; nothing but what one chunk of the body brings is held in memory. The
 * parsing is Dicer's, which takes what browsers, curl and cameras send (field notes §3.3). Main thread.
 */
import { Dicer } from "@fastify/busboy";
import {
  type ParameterizedValue,
  parseParameters,
  utf8Header,
} from "#gateway/header-parameters.ts";
import type { ByteSink } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { HttpBody } from "#net/http-message.ts";

export interface MultipartPart {
  readonly disposition: ParameterizedValue;
  /** With its parameters, as it was sent. */
  readonly contentType: string | undefined;
  readonly body: PartBody;
}

/** The bytes of one part. Drained at most once; what the taker leaves is dropped. */
export interface PartBody {
  /** Rejects with `flow-broken` where the part or the form breaks off. */
  drainTo(sink: ByteSink): Promise<void>;
  resume(): void;
}

export interface MultipartOptions {
  readonly body: HttpBody;
  readonly boundary: string;
  readonly maxParts: number;
  /** Called for one part at a time; the next follows when the promise is settled. */
  readonly onPart: (part: MultipartPart) => Promise<void>;
}

const maxHeaderPairs = 32;
const maxBoundaryLength = 200;
/** Dicer calls back a turn later even for what it took at once; pausing the sender for each chunk doubled the cost of a form. */
const maxUnparsedBytes = 128 * 1024;

/** The boundary that a content type names; undefined where it is no multipart type or has none that can be used. */
export function multipartBoundary(contentType: string, type: string): string | undefined {
  const { value, parameters } = parseParameters(contentType);
  const boundary = parameters.get("boundary");
  if (value !== type || boundary === undefined) return undefined;
  return boundary.length >= 1 && boundary.length <= maxBoundaryLength ? boundary : undefined;
}

/**
 * Resolves when all parts were handled. Rejects with `peer-misbehaved` for a malformed body or too many parts, with what
 * `onPart` rejects with, or with what breaks the body.
 */
export function readMultipart(options: MultipartOptions): Promise<void> {
  return new MultipartReading(options).run();
}

class MultipartReading {
  readonly #options: MultipartOptions;
  readonly #dicer: Dicer;
  readonly #waiting: IncomingPart[] = [];
  #current: IncomingPart | undefined;
  /** What `onPart` makes of the current part. */
  #handling: Promise<void> = Promise.resolve();
  #partCount = 0;
  /** Given to Dicer, which has not called back for it yet. */
  #unparsedBytes = 0;
  #parsed = false;
  #failure: Error | undefined;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(options: MultipartOptions) {
    this.#options = options;
    this.#dicer = new Dicer({ boundary: options.boundary, maxHeaderPairs });
  }

  run(): Promise<void> {
    const dicer = this.#dicer;
    dicer.on("part", (stream: PartStream) => {
      stream.on("header", (header: object) => this.#admit(stream, header));
      stream.on("error", () => {
        // Told by Dicer's own error as well.
      });
    });
    dicer.on("finish", () => this.#end());
    dicer.on("error", (error: Error) => {
      this.#fail(netError("peer-misbehaved", `the form is malformed: ${error.message}`, error));
    });
    const { body } = this.#options;
    const sink: ByteSink = { write: (chunk) => this.#parse(chunk) };
    body.drainTo(sink).then(
      () => dicer.end(),
      (error: Error) => this.#fail(error),
    );
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#next();
    });
  }

  /** False while there is enough to parse, or a part waits behind the current one. */
  #parse(chunk: Uint8Array): boolean {
    if (this.#failure !== undefined || this.#parsed) return true;
    const { length } = chunk;
    this.#unparsedBytes += length;
    // Parts keep views of what they are given.
    this.#dicer.write(Buffer.from(chunk), () => {
      this.#unparsedBytes -= length;
      this.#goOn();
    });
    return this.#wantsMore;
  }

  get #wantsMore(): boolean {
    return this.#unparsedBytes <= maxUnparsedBytes && this.#waiting.length === 0;
  }

  #goOn(): void {
    if (this.#wantsMore || this.#failure !== undefined) this.#options.body.resume();
  }

  #admit(stream: PartStream, header: object): void {
    this.#partCount += 1;
    if (this.#partCount > this.#options.maxParts) {
      const limit = this.#options.maxParts;
      this.#fail(netError("peer-misbehaved", `a form may have at most ${limit} parts`));
      return;
    }
    this.#waiting.push(new IncomingPart(stream, header));
    this.#next();
  }

  #next(): void {
    if (this.#current !== undefined || this.#failure !== undefined) return;
    const part = this.#waiting.shift();
    if (part === undefined) {
      if (this.#parsed) this.#settle?.resolve();
      else this.#goOn();
      return;
    }
    this.#current = part;
    const handling = this.#handle(part);
    this.#handling = handling;
    // It may need more than the chunk that brought it.
    this.#goOn();
    handling.then(
      () => {
        this.#current = undefined;
        this.#next();
      },
      (error: Error) => this.#fail(error),
    );
  }

  async #handle(part: IncomingPart): Promise<void> {
    await this.#options.onPart(part);
    await part.drop();
  }

  #end(): void {
    this.#parsed = true;
    this.#next();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#current?.fail(error);
    this.#dicer.destroy();
    this.#options.body.resume();
    // Whoever undoes what was done has to know all of it.
    const reject = (): void => this.#settle?.reject(error);
    this.#handling.then(reject, reject);
  }
}

/** Dicer's stream of a part, as far as it is used. */
interface PartStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "header", listener: (header: object) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

class IncomingPart implements MultipartPart, PartBody {
  readonly disposition: ParameterizedValue;
  readonly contentType: string | undefined;
  readonly #stream: PartStream;
  #taken = false;
  #ended = false;
  #failure: Error | undefined;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(stream: PartStream, header: object) {
    this.#stream = stream;
    this.disposition = parseParameters(headerValue(header, "content-disposition") ?? "");
    this.contentType = headerValue(header, "content-type");
  }

  get body(): PartBody {
    return this;
  }

  drainTo(sink: ByteSink): Promise<void> {
    this.#taken = true;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#stream.on("data", (chunk) => {
        if (this.#failure === undefined && !sink.write(chunk)) this.#stream.pause();
      });
      this.#stream.on("end", () => {
        this.#ended = true;
        if (this.#failure === undefined) resolve();
      });
      this.#stream.on("error", (error) => {
        this.fail(netError("flow-broken", "the form ended in the middle of a part", error));
      });
    });
  }

  resume(): void {
    if (this.#taken && !this.#ended) this.#stream.resume();
  }

  /** Receives and drops a part that nobody wanted. */
  async drop(): Promise<void> {
    if (!this.#taken) await this.drainTo({ write: () => true });
  }

  fail(error: Error): void {
    if (this.#failure !== undefined || this.#ended) return;
    this.#failure = error;
    this.#settle?.reject(error);
  }
}

/** Dicer gives a list a name, each as ISO 8859-1. */
function headerValue(header: object, name: string): string | undefined {
  const values: unknown = Object.entries(header).find(([key]) => key === name)?.[1];
  const first: unknown = Array.isArray(values) ? values[0] : undefined;
  return typeof first === "string" ? utf8Header(first) : undefined;
}
